using System.Security.Cryptography.X509Certificates;

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

    /// <summary>The TCP port; 0 takes a free one. With a certificate use 5671: clients then ignore the port they are told.</summary>
    public int Port { get; init; }

    /// <summary>With a certificate (and its private key) only TLS is spoken; without, only plain TCP.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The largest message body in bytes; properties may add 64 KiB.</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>After how long without a sign of life a connection is given up. Clients send one at least every half of it.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Locks, schedules, expiry and tokens go by it.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
