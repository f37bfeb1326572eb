namespace Sdxl.Local.Broker;

/// <summary>From AMQP messages to stored bytes and back. What a sender wrote is kept; we add what the service adds.</summary>
internal static class MessageBytes
{
    private const uint BatchFormat = 0x80013700; // Each data section is an encoded message.

    /// <summary>The message, or those of a batch. The caller may dispose it afterwards.</summary>
    public static List<NewMessage> Read(AmqpMessage received)
    {
        if (received.MessageFormat == BatchFormat)
            return received.DataBody.Select(data => Read(((ArraySegment<byte>)data.Value).ToArray())).ToList();
        using var stream = (BufferListStream)((BufferListStream)received.ToStream()).Clone();
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return [Read(bytes)];
    }

    /// <exception cref="AmqpException">The bytes are no AMQP message.</exception>
    public static NewMessage Read(byte[] bytes)
    {
        using var message = Load(bytes);
        var header = message.Header; // Decodes all.
        var properties = message.Properties;
        // A time to live beyond the header's 49 days stands in the properties.
        TimeSpan? timeToLive = header.Ttl switch
        {
            null => null,
            uint.MaxValue when properties is { AbsoluteExpiryTime: { } end, CreationTime: { } start } => end - start,
            { } milliseconds => TimeSpan.FromMilliseconds(milliseconds),
        };
        var isScheduled = message.MessageAnnotations.Map.TryGetValue<DateTime>("x-opt-scheduled-enqueue-time", out var due);
        return new NewMessage(bytes, properties?.MessageId?.ToString(), timeToLive, isScheduled ? new(due.ToUniversalTime()) : null);
    }

    /// <summary>A stored message as a receiver gets it: with its count, times, numbers and lock.</summary>
    public static AmqpMessage ToDelivery(StoredMessage stored)
    {
        var message = Load(stored.Bytes);
        message.Header.DeliveryCount = (uint)stored.Deliveries; // Those before; the client adds this one.
        if (stored.ExpiresAt != long.MaxValue)
            message.Header.Ttl = (uint)Math.Min(uint.MaxValue, (stored.ExpiresAt - stored.EnqueuedAt) / TimeSpan.TicksPerMillisecond);
        var annotations = message.MessageAnnotations.Map;
        annotations["x-opt-sequence-number"] = stored.Sequence;
        annotations["x-opt-enqueue-sequence-number"] = stored.FirstSequence;
        annotations["x-opt-enqueued-time"] = Utc(stored.EnqueuedAt);
        annotations["x-opt-message-state"] = stored.IsDeferred ? 1 : stored.State == MessageState.Scheduled ? 2 : 0;
        if (stored.Token is not null)
            annotations["x-opt-locked-until"] = Utc(stored.LockedUntil);
        message.DeliveryTag = (stored.Token ?? Guid.NewGuid()).ToByteArray();
        if (stored.Address.Dead)
            annotations["x-opt-deadletter-source"] = stored.Address.Queue;
        return message;
    }

    /// <summary>The same, as one piece for a management response.</summary>
    public static ArraySegment<byte> ToBinary(StoredMessage stored)
    {
        using var message = ToDelivery(stored);
        return Encode(message);
    }

    /// <summary>The message with application properties set or, where the value is null, set to null.</summary>
    public static byte[] WithProperties(byte[] bytes, Dictionary<string, object?> changes)
    {
        using var message = Load(bytes);
        message.ApplicationProperties ??= new ApplicationProperties();
        foreach (var (name, value) in changes)
            message.ApplicationProperties.Map[name] = value;
        return Encode(message);
    }

    /// <summary>A map of the wire as application properties.</summary>
    public static Dictionary<string, object?> Properties(IEnumerable<KeyValuePair<MapKey, object>>? map) =>
        map?.ToDictionary(pair => pair.Key.ToString()!, object? (pair) => pair.Value) ?? [];

    private static AmqpMessage Load(byte[] bytes) => AmqpMessage.CreateAmqpStreamMessage(new BufferListStream([bytes]));

    private static byte[] Encode(AmqpMessage message) => message.GetPayload().SelectMany(segment => segment).ToArray();

    private static DateTime Utc(long ticks) => new(ticks, DateTimeKind.Utc);
}
