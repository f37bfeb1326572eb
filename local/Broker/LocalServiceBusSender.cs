using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Broker;

/// <summary>Sends to a queue of the local broker.</summary>
internal sealed class LocalServiceBusSender(BrokerFile broker, string queue) : ServiceBusSender
{
    private bool closed;

    public override string FullyQualifiedNamespace => "local";

    public override string EntityPath => queue;

    public override string Identifier => queue;

    public override bool IsClosed => closed;

    public override Task SendMessageAsync(ServiceBusMessage message, CancellationToken cancellationToken = default) =>
        SendMessagesAsync([message], cancellationToken);

    public override Task SendMessagesAsync(IEnumerable<ServiceBusMessage> messages, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        broker.Send(queue, [.. messages]);
        return Task.CompletedTask;
    }

    public override Task<long> ScheduleMessageAsync(
        ServiceBusMessage message, DateTimeOffset scheduledEnqueueTime, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return Task.FromResult(broker.Send(queue, [message], scheduledEnqueueTime)[0]);
    }

    public override Task<IReadOnlyList<long>> ScheduleMessagesAsync(
        IEnumerable<ServiceBusMessage> messages, DateTimeOffset scheduledEnqueueTime, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return Task.FromResult<IReadOnlyList<long>>(broker.Send(queue, [.. messages], scheduledEnqueueTime));
    }

    public override Task CancelScheduledMessageAsync(long sequenceNumber, CancellationToken cancellationToken = default) =>
        CancelScheduledMessagesAsync([sequenceNumber], cancellationToken);

    public override Task CancelScheduledMessagesAsync(IEnumerable<long> sequenceNumbers, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        broker.CancelScheduled(queue, sequenceNumbers);
        return Task.CompletedTask;
    }

    public override Task CloseAsync(CancellationToken cancellationToken = default)
    {
        closed = true;
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => new(CloseAsync());

    private void Begin(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        cancellation.ThrowIfCancellationRequested();
    }
}
