using System.Collections.ObjectModel;
using Azure.Core.Amqp;

namespace Azure.Messaging.ServiceBus;

/// <summary>A message that the broker handed out; outside the service only <see cref="ServiceBusModelFactory"/> makes one.</summary>
public class ServiceBusReceivedMessage
{
    private readonly AmqpAnnotatedMessage raw = new();

    internal ServiceBusReceivedMessage()
    {
    }

    public BinaryData Body { get; internal init; }

    public string MessageId { get; internal init; }

    public string PartitionKey => raw.MessageAnnotations.TryGetValue(AmqpNames.PartitionKey, out var key) ? (string)key : null;

    public string SessionId { get; internal init; }

    public string ReplyToSessionId { get; internal init; }

    public TimeSpan TimeToLive { get; internal init; } = TimeSpan.MaxValue;

    public string CorrelationId { get; internal init; }

    public string Subject { get; internal init; }

    public string To { get; internal init; }

    public string ContentType { get; internal init; }

    public string ReplyTo { get; internal init; }

    public DateTimeOffset ScheduledEnqueueTime => AmqpNames.Time(raw, AmqpNames.ScheduledEnqueueTime);

    public IReadOnlyDictionary<string, object> ApplicationProperties => new ReadOnlyDictionary<string, object>(raw.ApplicationProperties);

    public string LockToken { get; internal init; }

    /// <summary>1 at the first delivery.</summary>
    public int DeliveryCount { get; internal init; }

    public DateTimeOffset LockedUntil => AmqpNames.Time(raw, AmqpNames.LockedUntil);

    public long SequenceNumber => raw.MessageAnnotations.TryGetValue(AmqpNames.SequenceNumber, out var value) ? (long)value : default;

    public long EnqueuedSequenceNumber => raw.MessageAnnotations.TryGetValue(AmqpNames.EnqueueSequenceNumber, out var value) ? (long)value : default;

    public DateTimeOffset EnqueuedTime => AmqpNames.Time(raw, AmqpNames.EnqueuedTime);

    public DateTimeOffset ExpiresAt => TimeToLive >= DateTimeOffset.MaxValue - EnqueuedTime ? DateTimeOffset.MaxValue : EnqueuedTime + TimeToLive;

    /// <summary>The queue that the message lay in before it was dead-lettered.</summary>
    public string DeadLetterSource => raw.MessageAnnotations.TryGetValue(AmqpNames.DeadLetterSource, out var value) ? (string)value : null;

    public string DeadLetterReason => Text(AmqpNames.DeadLetterReason);

    public string DeadLetterErrorDescription => Text(AmqpNames.DeadLetterErrorDescription);

    public ServiceBusMessageState State => raw.MessageAnnotations.TryGetValue(AmqpNames.MessageState, out var value)
        ? (ServiceBusMessageState)(int)value
        : ServiceBusMessageState.Active;

    public AmqpAnnotatedMessage GetRawAmqpMessage() => raw;

    public override string ToString() => $"{{MessageId:{MessageId}}}";

    private string Text(string property) => raw.ApplicationProperties.TryGetValue(property, out var value) ? value as string : null;
}
