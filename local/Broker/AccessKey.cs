using System.Security.Cryptography;

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
/// <param name="Rights">What it allows.</param>
/// <param name="Queue">The only queue it allows, or null for all.</param>
public sealed record AccessKey(string Name, string Secret, AccessRights Rights = AccessRights.All, string? Queue = null)
{
    /// <returns>A key with a secret of 256 random bits.</returns>
    public static AccessKey Create(string name, AccessRights rights = AccessRights.All, string? queue = null) =>
        new(name, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), rights, queue);
}
