using System.Diagnostics;
using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Broker;

/// <summary>Receives from a queue of the local broker: at once where this process sent, within 50 ms where another did.</summary>
internal sealed class LocalServiceBusReceiver(BrokerFile broker, QueueAddress address, ServiceBusReceiveMode mode) : ServiceBusReceiver
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DefaultWait = TimeSpan.FromSeconds(60); // as the real client

    private bool closed;
    private long peekedUpTo = -1;

    public override string FullyQualifiedNamespace => "local";

    public override string EntityPath => address.Path;

    public override string Identifier => address.Path;

    public override bool IsClosed => closed;

    public override int PrefetchCount => 0;

    public override ServiceBusReceiveMode ReceiveMode => mode;

    public override async Task<ServiceBusReceivedMessage> ReceiveMessageAsync(TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default) =>
        (await ReceiveMessagesAsync(1, maxWaitTime, cancellationToken)).FirstOrDefault()!;

    public override async Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveMessagesAsync(
        int maxMessages, TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxMessages, 1);
        var wait = maxWaitTime ?? DefaultWait;
        var waited = Stopwatch.StartNew();
        var changed = new SemaphoreSlim(0, 1);
        void Wake()
        {
            try
            {
                changed.Release();
            }
            catch (SemaphoreFullException)
            {
                // It is awake already.
            }
        }

        broker.Changed += Wake;
        try
        {
            while (true)
            {
                Begin(cancellationToken);
                if (broker.Receive(address, maxMessages, mode) is { Count: > 0 } messages)
                    return messages;
                var left = wait - waited.Elapsed;
                if (left <= TimeSpan.Zero)
                    return [];
                await changed.WaitAsync(left < PollInterval ? left : PollInterval, cancellationToken);
            }
        }
        finally
        {
            broker.Changed -= Wake;
        }
    }

    public override async Task<ServiceBusReceivedMessage> ReceiveDeferredMessageAsync(long sequenceNumber, CancellationToken cancellationToken = default) =>
        (await ReceiveDeferredMessagesAsync([sequenceNumber], cancellationToken))[0];

    public override Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveDeferredMessagesAsync(
        IEnumerable<long> sequenceNumbers, CancellationToken cancellationToken = default) => Do(cancellationToken, () => broker.ReceiveDeferred(address, sequenceNumbers, mode));

    public override async Task<ServiceBusReceivedMessage> PeekMessageAsync(long? fromSequenceNumber = default, CancellationToken cancellationToken = default) =>
        (await PeekMessagesAsync(1, fromSequenceNumber, cancellationToken)).FirstOrDefault()!;

    /// <summary>Without a number it goes on after the message peeked last.</summary>
    public override Task<IReadOnlyList<ServiceBusReceivedMessage>> PeekMessagesAsync(
        int maxMessages, long? fromSequenceNumber = default, CancellationToken cancellationToken = default) => Do(cancellationToken, () =>
        {
            var messages = broker.Peek(address, fromSequenceNumber ?? peekedUpTo + 1, maxMessages);
            if (messages.Count > 0)
                peekedUpTo = messages[^1].SequenceNumber;
            return messages;
        });

    public override Task CompleteMessageAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.Complete(address, message));

    public override Task AbandonMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default, CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.Abandon(address, message, propertiesToModify));

    public override Task DeferMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default, CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.Defer(address, message, propertiesToModify));

    public override Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default, CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.DeadLetter(address, message, propertiesToModify, null, null));

    public override Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        string deadLetterReason,
        string? deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.DeadLetter(address, message, null, deadLetterReason, deadLetterErrorDescription));

    public override Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        IDictionary<string, object> propertiesToModify,
        string deadLetterReason,
        string? deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () => broker.DeadLetter(address, message, propertiesToModify, deadLetterReason, deadLetterErrorDescription));

    public override Task RenewMessageLockAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        Do(cancellationToken, () =>
        {
            var until = broker.Renew(address, message);
            // LockedUntil reads this annotation; its own setter is closed to us.
            message.GetRawAmqpMessage().MessageAnnotations["x-opt-locked-until"] = until.UtcDateTime;
        });

    public override Task CloseAsync(CancellationToken cancellationToken = default)
    {
        closed = true;
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => new(CloseAsync());

    private Task Do(CancellationToken cancellation, Action work)
    {
        Begin(cancellation);
        work();
        return Task.CompletedTask;
    }

    private Task<T> Do<T>(CancellationToken cancellation, Func<T> work)
    {
        Begin(cancellation);
        return Task.FromResult(work());
    }

    private void Begin(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        cancellation.ThrowIfCancellationRequested();
    }
}
