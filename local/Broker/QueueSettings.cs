namespace Sdxl.Local.Broker;

/// <summary>A queue of the local broker, with the settings that Azure has for it.</summary>
/// <param name="Name">Letters, digits, '-', '_', '.' and '/'; case does not matter.</param>
public sealed record QueueSettings(string Name)
{
    /// <summary>How long a receiver keeps a message before it must renew the lock. Azure allows 5 s to 5 min.</summary>
    public TimeSpan LockDuration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Deliveries without completion after which a message goes to the dead-letter queue; 1 or more.</summary>
    public int MaxDeliveryCount { get; init; } = 10;

    /// <summary>How long a message id is remembered; a second message with it is dropped. Zero: no duplicate detection.</summary>
    public TimeSpan DuplicateDetectionWindow { get; init; } = TimeSpan.Zero;

    /// <summary>How long a message stays that does not say it itself, and at most.</summary>
    public TimeSpan DefaultTimeToLive { get; init; } = TimeSpan.MaxValue;

    /// <summary>Whether an expired message goes to the dead-letter queue; otherwise it is dropped.</summary>
    public bool DeadLetterOnExpiration { get; init; }
}
