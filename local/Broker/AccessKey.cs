namespace Sdxl.Local.Broker;

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
/// <param name="Secret">As in SharedAccessKey; base64 by custom.</param>
/// <param name="Queues">The queues it is for, each with what it allows there; null: everything on all.</param>
public sealed record AccessKey(string Name, string Secret, IReadOnlyDictionary<string, AccessRights>? Queues = null)
{
    /// <returns>A key with a secret of 256 random bits.</returns>
    public static AccessKey Create(string name, IReadOnlyDictionary<string, AccessRights>? queues = null) =>
        new(name, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), queues);
}
