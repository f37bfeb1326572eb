namespace Sdxl.Local.Broker;

/// <summary>A client's sender: our end receives. A message, or a batch as a whole, is accepted when it is on the disk.</summary>
internal sealed class QueueSender
{
    private readonly ReceivingAmqpLink link;
    private readonly BrokerEngine engine;
    private readonly QueueSettings queue;
    private readonly Grant grant;

    public QueueSender(ReceivingAmqpLink link, BrokerEngine engine, string queue, Grant grant)
    {
        (this.link, this.engine, this.grant) = (link, engine, grant);
        this.queue = engine.Find(queue);
        link.RegisterMessageListener(message => _ = AcceptAsync(message));
    }

    /// <summary>Its task fails where the link is closed meanwhile: nobody waits for the answer, and the client sends again.</summary>
    private async Task AcceptAsync(AmqpMessage message)
    {
        Outcome outcome;
        try
        {
            if (message.Transactional())
                throw BrokerErrors.NotOffered("Sending in a transaction");
            grant.Require(AccessRights.Send); // The link is being closed, but what was on its way still arrives.
            var messages = MessageBytes.Read(message);
            await engine.RunAsync(store => messages.ForEach(one => store.Add(queue, one)));
            outcome = AmqpConstants.AcceptedOutcome;
        }
        catch (Exception problem)
        {
            outcome = new Rejected { Error = BrokerErrors.ToError(problem) };
        }
        link.DisposeMessage(message, outcome, settled: true, batchable: false);
        message.Dispose();
    }
}
