namespace Azure.Messaging.ServiceBus;

/// <summary>Receives from one queue, and settles what it received.</summary>
public class ServiceBusReceiver : IAsyncDisposable
{
    protected ServiceBusReceiver()
    {
    }

    internal ServiceBusReceiver(string fullyQualifiedNamespace, string queueName, ServiceBusReceiverOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(queueName);
        FullyQualifiedNamespace = fullyQualifiedNamespace;
        EntityPath = options?.SubQueue switch
        {
            SubQueue.DeadLetter => queueName + "/$DeadLetterQueue",
            SubQueue.TransferDeadLetter => queueName + "/$Transfer/$DeadLetterQueue",
            _ => queueName,
        };
        ReceiveMode = options?.ReceiveMode ?? default;
        PrefetchCount = options?.PrefetchCount ?? 0;
    }

    public virtual string FullyQualifiedNamespace { get; }

    public virtual string EntityPath { get; }

    public virtual string Identifier => null;

    public virtual bool IsClosed => false;

    public virtual int PrefetchCount { get; }

    public virtual ServiceBusReceiveMode ReceiveMode { get; }

    /// <returns>A message, or null if none came within <paramref name="maxWaitTime"/> (default 60 s).</returns>
    public virtual async Task<ServiceBusReceivedMessage> ReceiveMessageAsync(TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default)
    {
        var messages = await ReceiveMessagesAsync(1, maxWaitTime, cancellationToken).ConfigureAwait(false);
        return messages.Count > 0 ? messages[0] : null;
    }

    public virtual Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveMessagesAsync(
        int maxMessages, TimeSpan? maxWaitTime = default, CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task<ServiceBusReceivedMessage> ReceiveDeferredMessageAsync(long sequenceNumber, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task<IReadOnlyList<ServiceBusReceivedMessage>> ReceiveDeferredMessagesAsync(
        IEnumerable<long> sequenceNumbers, CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task<ServiceBusReceivedMessage> PeekMessageAsync(long? fromSequenceNumber = default, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task<IReadOnlyList<ServiceBusReceivedMessage>> PeekMessagesAsync(
        int maxMessages, long? fromSequenceNumber = default, CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task CompleteMessageAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task AbandonMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object> propertiesToModify = default, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task DeferMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object> propertiesToModify = default, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object> propertiesToModify = default, CancellationToken cancellationToken = default) =>
        throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        string deadLetterReason,
        string deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        IDictionary<string, object> propertiesToModify,
        string deadLetterReason,
        string deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    /// <summary>Extends the lock by the queue's lock duration from now.</summary>
    public virtual Task RenewMessageLockAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) => throw NoConnection.To(FullyQualifiedNamespace, EntityPath);

    public virtual Task CloseAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}

/// <summary>Settings of a receiver.</summary>
public class ServiceBusReceiverOptions
{
    public ServiceBusReceiveMode ReceiveMode { get; set; }

    public int PrefetchCount { get; set; }

    public SubQueue SubQueue { get; set; }

    public string Identifier { get; set; }
}
