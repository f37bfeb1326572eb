using Microsoft.Azure.Amqp.Transaction;

namespace Sdxl.Local.Broker;

/// <summary>What a node does with a request's properties and body: a status (as in HTTP) and a map for the answer.</summary>
internal delegate Task<(int Status, AmqpMap? Body)> RequestHandler(Func<string, string> property, object? body);

/// <summary>One client's connection: our end of its links, as far as its tokens allow, and the answers to its requests.</summary>
internal sealed class ClientConnection : AmqpConnection, ISessionFactory, ILinkFactory
{
    private const int MaxMessageBytes = (1024 + 64) * 1024; // a body of 1 MiB, and its properties

    private readonly BrokerEngine engine;
    private readonly Claims claims;
    private readonly ILogger logger;
    private readonly ConcurrentDictionary<string, SendingAmqpLink> replies = []; // by the address that requests name

    public ClientConnection(
        TransportBase transport, ProtocolHeader header, AmqpSettings settings, AmqpConnectionSettings own, BrokerEngine engine,
        Claims claims, ILogger logger) : base(transport, header, false, settings, own)
    {
        (this.engine, this.claims, this.logger, SessionFactory) = (engine, claims, logger, this);
        this.SafeAddClosed((_, _) => claims.Dispose());
    }

    public AmqpSession CreateSession(AmqpConnection connection, AmqpSessionSettings settings) => new(connection, settings, this);

    public AmqpLink CreateLink(AmqpSession session, AmqpLinkSettings settings)
    {
        if (!settings.IsReceiver())
            return new SendingAmqpLink(session, settings);
        settings.MaxMessageSize = MaxMessageBytes; // The client refuses to send anything where it is not told.
        return new ReceivingAmqpLink(session, settings);
    }

    public IAsyncResult BeginOpenLink(AmqpLink link, TimeSpan timeout, AsyncCallback callback, object state) =>
        TaskToAsyncResult.Begin(OpenAsync(link), callback, state);

    public void EndOpenLink(IAsyncResult result) => TaskToAsyncResult.End(result);

    private async Task OpenAsync(AmqpLink link)
    {
        if (await BrokerErrors.Try(() => Attach(link)) is not { } error)
            return;
        logger.Refused("Link", link.Name, error.Condition.Value, error.Description);
        throw new AmqpException(error);
    }

    private Task Attach(AmqpLink link)
    {
        if (link.Settings.Target is Coordinator)
            throw BrokerErrors.NotOffered("A transaction");
        var source = link.Settings.Source as Source;
        var path = (link.IsReceiver ? (link.Settings.Target as Target)?.Address : source?.Address)?.ToString() ?? "";
        if (string.Equals(path, "$cbs", StringComparison.OrdinalIgnoreCase)) // claims-based security
        {
            AddNode(link, PutTokenAsync);
            return Task.CompletedTask;
        }
        var address = QueueAddress.Parse(path, out var isManagement);
        // Each operation of the management node asks for its right.
        claims.Require(path, isManagement ? AccessRights.None : link.IsReceiver ? AccessRights.Send : AccessRights.Listen, link);
        engine.Find(address.Queue);
        if (isManagement)
            AddNode(link, new ManagementNode(engine, address, rights => claims.Require(path, rights)).RunAsync);
        else if (link is SendingAmqpLink sending)
        {
            if (source?.FilterSet?.Any(filter => filter.Key.ToString() == "com.microsoft:session-filter") == true)
                throw BrokerErrors.NotOffered($"A session of '{path}'");
            _ = new QueueReceiver(sending, engine, address, () => claims.Allows(path, AccessRights.Listen));
        }
        else if (address.Dead)
            throw new AmqpException(AmqpErrorCode.NotAllowed, $"'{path}': messages are moved into a dead-letter queue, never sent.");
        else
            ((ReceivingAmqpLink)link).RegisterMessageListener(message => _ = AcceptAsync((ReceivingAmqpLink)link, message, path, address));
        return Task.CompletedTask;
    }

    /// <summary>
    /// A message, or a batch as a whole, is accepted when it is on the disk. The task fails where the link is closed meanwhile: nobody
    /// waits for the answer, and the client sends again.
    /// </summary>
    private async Task AcceptAsync(ReceivingAmqpLink link, AmqpMessage message, string path, QueueAddress address)
    {
        var outcome = await BrokerErrors.OutcomeOf(() =>
        {
            if (message.Transactional())
                throw BrokerErrors.NotOffered("Sending in a transaction");
            claims.Require(path, AccessRights.Send); // The link is being closed, but what was on its way still arrives.
            var messages = MessageBytes.Read(message);
            return engine.RunAsync(store => messages.ForEach(one => store.Add(address.Queue, one)));
        });
        link.DisposeMessage(message, outcome, settled: true, batchable: false);
        message.Dispose();
    }

    /// <summary>Clients put a token for each entity before they attach a link to it.</summary>
    private Task<(int Status, AmqpMap? Body)> PutTokenAsync(Func<string, string> property, object? body)
    {
        if (property("operation") != "put-token" || property("type") != "servicebus.windows.net:sastoken")
            throw BrokerErrors.NotOffered($"A token of type '{property("type")}' (only shared access signatures)");
        claims.Add(property("name"), body as string ?? "");
        return Task.FromResult((202, (AmqpMap?)null));
    }

    /// <summary>Answers each message of the link by what <paramref name="handle"/> makes of its properties and body.</summary>
    private void AddNode(AmqpLink link, RequestHandler handle)
    {
        if (link is ReceivingAmqpLink requests)
            requests.RegisterMessageListener(request => _ = AnswerAsync(requests, request, handle));
        else
        {
            var replyTo = ((Target)link.Settings.Target).Address.ToString()!;
            replies[replyTo] = (SendingAmqpLink)link;
            link.SafeAddClosed((_, _) => replies.TryRemove(replyTo, out _));
        }
    }

    private async Task AnswerAsync(ReceivingAmqpLink link, AmqpMessage request, RequestHandler handle)
    {
        var (id, replyTo) = (request.Properties?.MessageId, request.Properties?.ReplyTo?.ToString());
        var asked = (request.ApplicationProperties ?? new()).Map;
        string Property(string name) => asked.TryGetValue<object>(name, out var value) ? value?.ToString() ?? "" : "";
        var (status, body, text) = (0, default(AmqpMap), "Accepted");
        var properties = new ApplicationProperties();
        if (await BrokerErrors.Try(async () => (status, body) = await handle(Property, request.ValueBody?.Value)) is { } error)
        {
            (status, text) = (BrokerErrors.Status(error), error.Description);
            properties.Map["errorCondition"] = error.Condition;
            if (status is not (404 or 410)) // what anyone may run into
                logger.Refused(Property("operation"), Property("name"), error.Condition.Value, text);
        }
        link.DisposeMessage(request, AmqpConstants.AcceptedOutcome, settled: true, batchable: false);
        request.Dispose();
        if (replyTo is null || !replies.TryGetValue(replyTo, out var reply))
            return; // Nobody listens for it any longer.
        (properties.Map["statusCode"], properties.Map["statusDescription"]) = (status, text);
        (properties.Map["status-code"], properties.Map["status-description"]) = (status, text); // as $cbs spells them
        var response = AmqpMessage.Create(new AmqpValue { Value = body ?? new AmqpMap() });
        response.ApplicationProperties = properties;
        response.Properties.CorrelationId = id;
        reply.SendMessageNoWait(response, Guid.NewGuid().ToByteArray(), AmqpConstants.NullBinary);
    }
}
