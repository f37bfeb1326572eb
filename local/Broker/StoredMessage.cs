namespace Sdxl.Local.Broker;

/// <summary>A message as a sender gave it.</summary>
/// <param name="Bytes">The encoded AMQP message, kept as it came.</param>
/// <param name="Id">For duplicate detection.</param>
/// <param name="TimeToLive">Null: the queue's.</param>
/// <param name="DueAt">Null: at once.</param>
internal sealed record NewMessage(byte[] Bytes, string? Id, TimeSpan? TimeToLive, DateTimeOffset? DueAt);

/// <summary>As the column "state" of the store.</summary>
internal enum MessageState
{
    Ready = 0,
    Locked = 1,
    Deferred = 2,
    Scheduled = 3,
}

/// <summary>What a receiver does with a message that it holds.</summary>
internal enum Disposition
{
    Complete,
    Abandon,
    Defer,
    Bury,
}

/// <summary>A message as the store gives it out. Times are UTC ticks.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="FirstSequence">The number that it had while it was scheduled; otherwise the same.</param>
/// <param name="Address">Where it lies.</param>
/// <param name="State">What it was when it was read.</param>
/// <param name="IsDeferred">Whether it lies apart, to be received by number only; a locked one goes back there.</param>
/// <param name="Deliveries">Those before this one; for a locked message, this one too.</param>
/// <param name="Token">Its lock; null where nobody holds it.</param>
/// <param name="LockedUntil">The end of the lock.</param>
/// <param name="EnqueuedAt">When it came, or was due.</param>
/// <param name="ExpiresAt"><see cref="long.MaxValue"/>: never.</param>
internal sealed record StoredMessage(
    long Sequence, long FirstSequence, QueueAddress Address, MessageState State, bool IsDeferred, int Deliveries, Guid? Token,
    long LockedUntil, long EnqueuedAt, long ExpiresAt)
{
    public byte[] Bytes { get; init; } = [];
}
