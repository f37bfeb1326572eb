namespace Sdxl.Local.Broker;

/// <summary>
/// A client's receiver: our end sends. Messages go out as far as its credit reaches; dispositions are answered when they are on the disk.
/// </summary>
internal sealed class QueueReceiver
{
    private readonly SendingAmqpLink link;
    private readonly BrokerEngine engine;
    private readonly Func<bool> mayListen;

    public QueueReceiver(SendingAmqpLink link, BrokerEngine engine, QueueAddress address, Func<bool> mayListen)
    {
        (this.link, this.engine, this.mayListen, Address) = (link, engine, mayListen, address);
        RemovesAtOnce = link.Settings.SettleType == SettleMode.SettleOnSend;
        link.RegisterCreditListener((_, _, _) => engine.Wake());
        link.RegisterDispositionListener(delivery => _ = SettleAsync(delivery));
        engine.Add(this, link);
    }

    public QueueAddress Address { get; }

    /// <summary>Receive-and-delete: a message is gone when it goes out.</summary>
    public bool RemovesAtOnce { get; }

    /// <summary>How many messages it can take.</summary>
    public int Wanted => IsOpen ? (int)Math.Min(link.LinkCredit, int.MaxValue) : 0;

    // A connection that is being closed waits for its peer; meanwhile its links still look open.
    private bool IsOpen =>
        link.State == AmqpObjectState.Opened && link.Session.Connection.State == AmqpObjectState.Opened && mayListen();

    /// <returns>False where there is no credit any longer, or no receiver.</returns>
    public bool TrySend(StoredMessage message) => IsOpen && link.TrySendDelivery(MessageBytes.ToDelivery(message));

    /// <summary>Its task fails where the link is closed meanwhile: the client then asks again by the management node.</summary>
    private async Task SettleAsync(Delivery delivery)
    {
        if (RemovesAtOnce || delivery.State is Received)
            return;
        // Accepted, whatever is asked for: the client takes an echo of it for a refusal.
        var answer = await BrokerErrors.OutcomeOf(() =>
        {
            var (disposition, changes) = delivery.State switch
            {
                Accepted => (Disposition.Complete, null),
                Released => (Disposition.Return, null),
                Rejected rejected => (Disposition.Bury, rejected.Error?.Info),
                Modified { UndeliverableHere: true } modified => (Disposition.Defer, modified.MessageAnnotations),
                Modified modified => (Disposition.Abandon, (IEnumerable<KeyValuePair<MapKey, object>>?)modified.MessageAnnotations),
                var state => throw BrokerErrors.NotOffered($"Settling by '{state}'"),
            };
            var (token, properties) = (new Guid(delivery.DeliveryTag.AsSpan()), MessageBytes.Properties(changes));
            return engine.RunAsync(store => store.Settle(Address.Queue, token, disposition, properties));
        });
        if (!delivery.Settled)
            link.DisposeDelivery(delivery, true, answer);
    }
}
