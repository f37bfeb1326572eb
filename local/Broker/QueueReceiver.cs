namespace Sdxl.Local.Broker;

/// <summary>
/// A client's receiver: our end sends. Messages go out as far as its credit reaches; dispositions are answered when they are on the disk.
/// </summary>
internal sealed class QueueReceiver
{
    private readonly SendingAmqpLink link;
    private readonly BrokerEngine engine;
    private readonly QueueSettings queue;
    private readonly Grant grant;
    private int reserved;

    public QueueReceiver(SendingAmqpLink link, BrokerEngine engine, QueueAddress address, Grant grant)
    {
        (this.link, this.engine, this.grant) = (link, engine, grant);
        queue = engine.Find(address.Queue);
        Address = address;
        RemovesAtOnce = link.Settings.SettleType == SettleMode.SettleOnSend;
        link.RegisterCreditListener((_, _, _) => engine.Wake(address));
        link.RegisterDispositionListener(delivery => _ = SettleAsync(delivery));
        engine.Add(this);
        link.SafeAddClosed((_, _) => engine.Remove(this));
    }

    public QueueAddress Address { get; }

    /// <summary>Receive-and-delete: a message is gone when it goes out.</summary>
    public bool RemovesAtOnce { get; }

    /// <summary>How many messages it can take beyond those that are on their way to it.</summary>
    public int Wanted => IsOpen ? (int)Math.Min(link.LinkCredit, int.MaxValue / 2) - Volatile.Read(ref reserved) : 0;

    // A connection that is being closed waits for its peer; meanwhile its links still look open.
    private bool IsOpen =>
        link.State == AmqpObjectState.Opened && link.Session.Connection.State == AmqpObjectState.Opened
        && grant.Allows(AccessRights.Listen);

    public void Reserve(int count) => Interlocked.Add(ref reserved, count);

    /// <returns>False where there is no credit any longer, or no receiver.</returns>
    public bool TrySend(StoredMessage message) => IsOpen && link.TrySendDelivery(MessageBytes.ToDelivery(message));

    /// <summary>Its task fails where the link is closed meanwhile: the client then asks again by the management node.</summary>
    private async Task SettleAsync(Delivery delivery)
    {
        if (RemovesAtOnce || delivery.State is Received)
            return;
        DeliveryState answer;
        try
        {
            var (token, state) = (new Guid(delivery.DeliveryTag.AsSpan()), delivery.State);
            await engine.RunAsync(store => Settle(store, token, state));
            answer = AmqpConstants.AcceptedOutcome; // Whatever was asked for: the client takes an echo of it for a refusal.
        }
        catch (Exception problem)
        {
            answer = new Rejected { Error = BrokerErrors.ToError(problem) };
        }
        if (!delivery.Settled)
            link.DisposeDelivery(delivery, true, answer);
    }

    private void Settle(MessageStore store, Guid token, DeliveryState state)
    {
        if (state is Released) // It came when nobody waited any longer: no delivery.
        {
            store.Return(token);
            return;
        }
        var (disposition, changes) = state switch
        {
            Accepted => (Disposition.Complete, null),
            Rejected rejected => (Disposition.Bury, rejected.Error?.Info),
            Modified { UndeliverableHere: true } modified => (Disposition.Defer, modified.MessageAnnotations),
            Modified modified => (Disposition.Abandon, modified.MessageAnnotations),
            _ => throw BrokerErrors.NotOffered($"Settling by '{state}'"),
        };
        store.Settle(queue, token, disposition, MessageBytes.Properties(changes));
    }
}
