using Azure.Core.Amqp;

namespace Azure.Messaging.ServiceBus;

/// <summary>A message to send: a body and what the broker and the receiver are told about it.</summary>
public class ServiceBusMessage
{
    private readonly AmqpAnnotatedMessage raw = new();
    private BinaryData body;
    private string messageId;
    private string sessionId;
    private string replyToSessionId;
    private TimeSpan timeToLive = TimeSpan.MaxValue;

    public ServiceBusMessage()
        : this(ReadOnlyMemory<byte>.Empty)
    {
    }

    public ServiceBusMessage(string body)
        : this(BinaryData.FromString(body))
    {
    }

    public ServiceBusMessage(ReadOnlyMemory<byte> body)
        : this(BinaryData.FromBytes(body))
    {
    }

    public ServiceBusMessage(BinaryData body)
    {
        ArgumentNullException.ThrowIfNull(body);
        this.body = body;
    }

    /// <summary>A copy to send again: body and properties, without what the broker added.</summary>
    public ServiceBusMessage(ServiceBusReceivedMessage receivedMessage)
        : this(receivedMessage?.Body ?? throw new ArgumentNullException(nameof(receivedMessage)))
    {
        MessageId = receivedMessage.MessageId;
        CorrelationId = receivedMessage.CorrelationId;
        SessionId = receivedMessage.SessionId;
        ReplyToSessionId = receivedMessage.ReplyToSessionId;
        Subject = receivedMessage.Subject;
        ContentType = receivedMessage.ContentType;
        To = receivedMessage.To;
        ReplyTo = receivedMessage.ReplyTo;
        TimeToLive = receivedMessage.TimeToLive;
        foreach (var (name, value) in receivedMessage.ApplicationProperties)
        {
            if (name is not (AmqpNames.DeadLetterReason or AmqpNames.DeadLetterErrorDescription))
                ApplicationProperties[name] = value;
        }
    }

    public BinaryData Body
    {
        get => body;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            body = value;
        }
    }

    /// <summary>At most 128 characters; a queue with duplicate detection drops a second message of the same id.</summary>
    public string MessageId
    {
        get => messageId;
        set => messageId = AtMost128(value, nameof(MessageId));
    }

    public string CorrelationId { get; set; }

    public string SessionId
    {
        get => sessionId;
        set => sessionId = AtMost128(value, nameof(SessionId));
    }

    public string ReplyToSessionId
    {
        get => replyToSessionId;
        set => replyToSessionId = AtMost128(value, nameof(ReplyToSessionId));
    }

    public string Subject { get; set; }

    public string ContentType { get; set; }

    public string To { get; set; }

    public string ReplyTo { get; set; }

    /// <summary>Default: without end (the queue's own default counts).</summary>
    public TimeSpan TimeToLive
    {
        get => timeToLive;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, nameof(TimeToLive));
            timeToLive = value;
        }
    }

    public DateTimeOffset ScheduledEnqueueTime
    {
        get => AmqpNames.Time(raw, AmqpNames.ScheduledEnqueueTime);
        set => raw.MessageAnnotations[AmqpNames.ScheduledEnqueueTime] = value.UtcDateTime;
    }

    public IDictionary<string, object> ApplicationProperties => raw.ApplicationProperties;

    public AmqpAnnotatedMessage GetRawAmqpMessage() => raw;

    public override string ToString() => $"{{MessageId:{MessageId}}}";

    private static string AtMost128(string value, string property) => value is { Length: 0 } or { Length: > 128 }
        ? throw new ArgumentOutOfRangeException(property, value, $"{property} must have 1 to 128 characters, and has {value.Length}.")
        : value;
}
