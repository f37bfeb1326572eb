namespace Sdxl.Local.Broker;

/// <summary>What a <see cref="ServiceBusServer"/> serves, where, and to whom.</summary>
public sealed record ServiceBusServerOptions
{
    /// <summary>The SQLite file with the messages; made if missing. One server at a time has it open.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>The queues; messages of one that is no longer named stay in the file.</summary>
    public required IReadOnlyList<QueueSettings> Queues { get; init; }

    /// <summary>The keys that are accepted; at least one.</summary>
    public required IReadOnlyList<AccessKey> Keys { get; init; }

    /// <summary>Where to listen; by default only this machine reaches it. <see cref="IPAddress.IPv6Any"/>: on every address.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The TCP port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Locks, schedules, expiry and tokens go by it.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

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

/// <summary>How many messages lie in a queue: ready, held by a receiver, set aside, not yet due, and in its dead-letter queue.</summary>
public readonly record struct QueueCounts(int Active, int Locked, int Deferred, int Scheduled, int Dead);

/// <summary>What the holder of a key may do. Settling, renewing and peeking belong to listening, scheduling to sending.</summary>
[Flags]
public enum AccessRights
{
    None = 0,
    Send = 1,
    Listen = 2,
    All = Send | Listen,
}

/// <summary>A shared access key of the broker. Its secret never travels: clients sign with it.</summary>
/// <param name="Name">As in SharedAccessKeyName.</param>
/// <param name="Secret">As in SharedAccessKey, 16 characters or more; base64 by custom.</param>
/// <param name="Queues">The queues it is for, each with what it allows there; null: everything on all.</param>
public sealed record AccessKey(string Name, string Secret, IReadOnlyDictionary<string, AccessRights>? Queues = null)
{
    /// <returns>A key with a secret of 256 random bits.</returns>
    public static AccessKey Create(string name, IReadOnlyDictionary<string, AccessRights>? queues = null) =>
        new(name, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), queues);
}
