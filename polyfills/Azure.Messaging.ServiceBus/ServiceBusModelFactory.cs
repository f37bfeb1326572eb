namespace Azure.Messaging.ServiceBus;

/// <summary>Makes received messages outside the service.</summary>
public static class ServiceBusModelFactory
{
    public static ServiceBusReceivedMessage ServiceBusReceivedMessage(
        BinaryData body = default,
        string messageId = default,
        string partitionKey = default,
        string viaPartitionKey = default,
        string sessionId = default,
        string replyToSessionId = default,
        TimeSpan timeToLive = default,
        string correlationId = default,
        string subject = default,
        string to = default,
        string contentType = default,
        string replyTo = default,
        DateTimeOffset scheduledEnqueueTime = default,
        IDictionary<string, object> properties = default,
        Guid lockTokenGuid = default,
        int deliveryCount = default,
        DateTimeOffset lockedUntil = default,
        long sequenceNumber = -1,
        string deadLetterSource = default,
        long enqueuedSequenceNumber = default,
        DateTimeOffset enqueuedTime = default,
        ServiceBusMessageState serviceBusMessageState = default)
    {
        var message = new ServiceBusReceivedMessage
        {
            Body = body ?? new BinaryData(ReadOnlyMemory<byte>.Empty),
            MessageId = messageId,
            CorrelationId = correlationId,
            SessionId = sessionId,
            ReplyToSessionId = replyToSessionId,
            TimeToLive = timeToLive == default ? TimeSpan.MaxValue : timeToLive,
            Subject = subject,
            ContentType = contentType,
            To = to,
            ReplyTo = replyTo,
            DeliveryCount = deliveryCount,
            LockToken = lockTokenGuid.ToString(),
        };
        var raw = message.GetRawAmqpMessage();
        foreach (var (name, value) in properties ?? new Dictionary<string, object>())
            raw.ApplicationProperties.Add(name, value);

        if (partitionKey is not null)
            raw.MessageAnnotations[AmqpNames.PartitionKey] = partitionKey;
        if (viaPartitionKey is not null)
            raw.MessageAnnotations["x-opt-via-partition-key"] = viaPartitionKey;
        raw.MessageAnnotations[AmqpNames.ScheduledEnqueueTime] = scheduledEnqueueTime.UtcDateTime;
        raw.MessageAnnotations[AmqpNames.LockedUntil] = lockedUntil.UtcDateTime;
        raw.MessageAnnotations[AmqpNames.SequenceNumber] = sequenceNumber;
        raw.MessageAnnotations[AmqpNames.DeadLetterSource] = deadLetterSource;
        raw.MessageAnnotations[AmqpNames.EnqueueSequenceNumber] = enqueuedSequenceNumber;
        raw.MessageAnnotations[AmqpNames.EnqueuedTime] = enqueuedTime.UtcDateTime;
        raw.MessageAnnotations[AmqpNames.MessageState] = (int)serviceBusMessageState;
        return message;
    }
}
