using Azure.Core.Amqp;

namespace Azure.Messaging.ServiceBus;

/// <summary>The names by which Service Bus marks messages on the wire (AMQP message annotations and application properties).</summary>
internal static class AmqpNames
{
    public const string DeadLetterReason = "DeadLetterReason";
    public const string DeadLetterErrorDescription = "DeadLetterErrorDescription";
    public const string ScheduledEnqueueTime = "x-opt-scheduled-enqueue-time";
    public const string LockedUntil = "x-opt-locked-until";
    public const string SequenceNumber = "x-opt-sequence-number";
    public const string EnqueuedTime = "x-opt-enqueued-time";
    public const string EnqueueSequenceNumber = "x-opt-enqueue-sequence-number";
    public const string DeadLetterSource = "x-opt-deadletter-source";
    public const string PartitionKey = "x-opt-partition-key";
    public const string MessageState = "x-opt-message-state";

    public static DateTimeOffset Time(AmqpAnnotatedMessage message, string name) =>
        message.MessageAnnotations.TryGetValue(name, out var value) && value is DateTime time ? new DateTimeOffset(time, TimeSpan.Zero) : default;
}
