using Microsoft.Azure.Amqp.Transaction;

namespace Sdxl.Local.Broker;

/// <summary>Makes our end of what clients open: for each link, what it is attached to, and whether the connection may.</summary>
internal sealed class LinkFactory(BrokerEngine engine, ServiceBusServerOptions options, ILogger logger) : IRuntimeProvider
{
    private const int PropertyBytes = 64 * 1024; // What a message may have beside its body.

    private static readonly AmqpSymbol SessionFilter = "com.microsoft:session-filter";

    public AmqpConnection CreateConnection(
        TransportBase transport, ProtocolHeader header, bool isInitiator, AmqpSettings settings, AmqpConnectionSettings own) =>
        new ClientConnection(transport, header, settings, own, new Claims(options.Keys, options.Time));

    public AmqpSession CreateSession(AmqpConnection connection, AmqpSessionSettings settings) => new(connection, settings, this);

    public AmqpLink CreateLink(AmqpSession session, AmqpLinkSettings settings)
    {
        if (!settings.IsReceiver())
            return new SendingAmqpLink(session, settings);
        settings.MaxMessageSize = (ulong)options.MaxBodyBytes + PropertyBytes; // The client refuses to send anything where it is not told.
        return new ReceivingAmqpLink(session, settings);
    }

    public IAsyncResult BeginOpenLink(AmqpLink link, TimeSpan timeout, AsyncCallback callback, object state)
    {
        Task opening;
        try
        {
            Open(link, (ClientConnection)link.Session.Connection);
            opening = Task.CompletedTask;
        }
        catch (Exception problem)
        {
            var error = BrokerErrors.ToError(problem);
            logger.LinkRefused(link.Name, error.Condition.Value, error.Description);
            opening = Task.FromException(new AmqpException(error));
        }
        return TaskToAsyncResult.Begin(opening, callback, state);
    }

    public void EndOpenLink(IAsyncResult result) => TaskToAsyncResult.End(result);

    private void Open(AmqpLink link, ClientConnection connection)
    {
        if (link.Settings.Target is Coordinator)
            throw BrokerErrors.NotOffered("A transaction");
        var source = link.Settings.Source as Source;
        var path = (link.IsReceiver ? (link.Settings.Target as Target)?.Address : source?.Address)?.ToString() ?? "";
        if (string.Equals(path, CbsNode.Address, StringComparison.OrdinalIgnoreCase))
        {
            AddNode(link, connection, new CbsNode(connection.Claims, logger).HandleAsync);
            return;
        }
        var address = QueueAddress.Parse(path, out var isManagement);
        if (isManagement)
        {
            connection.Claims.Require(path, AccessRights.None).Add(link); // Each operation asks for its right.
            AddNode(link, connection, new ManagementNode(engine, address, rights => connection.Claims.Require(path, rights)).HandleAsync);
        }
        else if (link is ReceivingAmqpLink receiving)
        {
            var grant = connection.Claims.Require(path, AccessRights.Send);
            if (address.Dead)
                throw new AmqpException(AmqpErrorCode.NotAllowed, $"'{path}': messages are moved into a dead-letter queue, never sent.");
            grant.Add(link);
            _ = new QueueSender(receiving, engine, address.Queue, grant);
        }
        else
        {
            if (source?.FilterSet?.Any(filter => filter.Key.ToString() == SessionFilter.Value) == true)
                throw BrokerErrors.NotOffered($"A session of '{path}'");
            var grant = connection.Claims.Require(path, AccessRights.Listen);
            grant.Add(link);
            _ = new QueueReceiver((SendingAmqpLink)link, engine, address, grant);
        }
    }

    private static void AddNode(AmqpLink link, ClientConnection connection, Func<AmqpMessage, Task<AmqpMessage>> handle)
    {
        if (link is ReceivingAmqpLink requests)
            connection.AddRequests(requests, handle);
        else
            connection.AddReplies(((Target)link.Settings.Target).Address.ToString()!, (SendingAmqpLink)link);
    }
}
