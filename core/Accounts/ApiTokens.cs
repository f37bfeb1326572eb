using System.Security.Cryptography;
using System.Text;

namespace Sdxl.Core.Accounts;

/// <summary>What a token may do. One that may write may read, too, as long as it says so: the words are not ranks.</summary>
public static class Scopes
{
    /// <summary>GET, HEAD and QUERY.</summary>
    public const string Read = "read";

    /// <summary>Everything that makes, changes or removes something.</summary>
    public const string Write = "write";

    /// <summary>To make, list and revoke tokens, also those of other owners.</summary>
    public const string Tokens = "tokens";

    public static IReadOnlyList<string> All { get; } = [Read, Write, Tokens];
}

/// <summary>Tokens of the HTTP API: sdxl_ and 52 characters of 260 random bits. Only their SHA-256 is stored.</summary>
public static class ApiTokens
{
    public const string Prefix = "sdxl_";

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int Length = 52;

    public static string New() => Prefix + RandomNumberGenerator.GetString(Alphabet, Length);

    /// <summary>SHA-256 of the token's bytes, 64 lower-case hex characters. (A random token of this length needs no salt and no slow
    /// hash.)</summary>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}

/// <summary>A token as it is stored: everything but itself.</summary>
/// <param name="Hash">Of the token; its first 12 characters are the id by which it is listed and revoked.</param>
/// <param name="Owner">Whose things it reaches; nobody else's.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="ExpiresAt">From then on it is worth nothing; null: never.</param>
/// <param name="RevokedAt">Likewise, by hand.</param>
public sealed record TokenRecord(
    string Hash, string Owner, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt = null,
    DateTimeOffset? RevokedAt = null)
{
    private const int IdLength = 12;

    public string Id() => Hash[..IdLength];

    public bool IsGood(DateTimeOffset now) => RevokedAt is null && (ExpiresAt is not { } end || now < end);
}
