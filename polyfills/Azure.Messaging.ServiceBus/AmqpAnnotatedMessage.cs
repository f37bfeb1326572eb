namespace Azure.Core.Amqp;

/// <summary>A message as it travels on the wire. (The real type lives in the package Azure.Core.Amqp; here only what the broker annotates.)</summary>
public class AmqpAnnotatedMessage
{
    internal AmqpAnnotatedMessage()
    {
    }

    /// <summary>Set by the sender's application.</summary>
    public IDictionary<string, object> ApplicationProperties { get; } = new Dictionary<string, object>();

    /// <summary>Set by client library and broker: times, sequence number.</summary>
    public IDictionary<string, object> MessageAnnotations { get; } = new Dictionary<string, object>();
}
