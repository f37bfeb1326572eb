namespace Sdxl.Local.Broker;

/// <summary>A queue, in lower case, or its dead-letter queue.</summary>
internal readonly record struct QueueAddress(string Queue, bool Dead)
{
    private const string DeadSuffix = "/$deadletterqueue";
    private const string ManagementSuffix = "/$management";

    /// <param name="path">"/queue", "queue/$DeadLetterQueue", "queue/$management", …, without regard to case.</param>
    /// <param name="isManagement">Whether the path names the management node of the queue.</param>
    public static QueueAddress Parse(string path, out bool isManagement)
    {
        var name = path.Trim('/').ToLowerInvariant();
        isManagement = name.EndsWith(ManagementSuffix, StringComparison.Ordinal);
        if (isManagement)
            name = name[..^ManagementSuffix.Length];
        return name.EndsWith(DeadSuffix, StringComparison.Ordinal) ? new(name[..^DeadSuffix.Length], true) : new(name, false);
    }
}

/// <summary>A message as a sender gave it, encoded. TimeToLive null: the queue's; DueAt null: at once.</summary>
internal sealed record NewMessage(byte[] Bytes, string? Id, TimeSpan? TimeToLive, DateTimeOffset? DueAt);

/// <summary>As the column "state" of the store.</summary>
internal enum MessageState { Ready, Locked, Deferred, Scheduled }

/// <summary>What becomes of a held message. Return: it came when nobody waited any longer, which is no delivery.</summary>
internal enum Disposition { Complete, Abandon, Defer, Bury, Return }

/// <summary>A message as it was when the store read it. Times are UTC ticks; EnqueuedAt is when it came, or was due.</summary>
/// <param name="FirstSequence">The number that it had while it was scheduled; otherwise its number.</param>
/// <param name="IsDeferred">Whether it lies apart, to be received by number only; a locked one goes back there.</param>
/// <param name="Deliveries">Those before this one; for a locked message, this one too.</param>
/// <param name="Token">Its lock; null where nobody holds it.</param>
internal sealed record StoredMessage(
    long Sequence, long FirstSequence, QueueAddress Address, MessageState State, bool IsDeferred, int Deliveries, Guid? Token,
    long LockedUntil, long EnqueuedAt, long ExpiresAt)
{
    public byte[] Bytes { get; init; } = [];
}
