namespace Sdxl.Local.Broker;

/// <summary>One client's connection with what it may do, and where its answers go.</summary>
internal sealed class ClientConnection : AmqpConnection
{
    private readonly ConcurrentDictionary<string, SendingAmqpLink> replies = [];

    public ClientConnection(
        TransportBase transport, ProtocolHeader header, AmqpSettings settings, AmqpConnectionSettings connectionSettings, Claims claims)
        : base(transport, header, false, settings, connectionSettings)
    {
        Claims = claims;
        SessionFactory = settings.RuntimeProvider;
        this.SafeAddClosed((_, _) => claims.Dispose());
    }

    public Claims Claims { get; }

    /// <summary>Answers to requests that name this address (unique in the connection) go out on the link.</summary>
    public void AddReplies(string address, SendingAmqpLink link)
    {
        replies[address] = link;
        link.SafeAddClosed((_, _) => replies.TryRemove(address, out _));
    }

    /// <summary>Answers each message of the link by what <paramref name="handle"/> returns for it.</summary>
    public void AddRequests(ReceivingAmqpLink link, Func<AmqpMessage, Task<AmqpMessage>> handle) =>
        link.RegisterMessageListener(request => _ = AnswerAsync(link, request, handle));

    private async Task AnswerAsync(ReceivingAmqpLink link, AmqpMessage request, Func<AmqpMessage, Task<AmqpMessage>> handle)
    {
        var (id, replyTo) = (request.Properties?.MessageId, request.Properties?.ReplyTo?.ToString());
        var response = await handle(request);
        link.DisposeMessage(request, AmqpConstants.AcceptedOutcome, settled: true, batchable: false);
        request.Dispose();
        if (replyTo is null || !replies.TryGetValue(replyTo, out var reply))
            return; // Nobody listens for it any longer.
        response.Properties.CorrelationId = id;
        reply.SendMessageNoWait(response, Guid.NewGuid().ToByteArray(), AmqpConstants.NullBinary);
    }
}
