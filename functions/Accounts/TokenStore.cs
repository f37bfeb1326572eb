using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sdxl.Core.Accounts;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Accounts;

/// <summary>
/// The tokens, by their hashes. The first token needs no storage: its hash is a setting (<see cref="SdxlOptions.OwnerTokenSha256"/>), so
/// that somebody can make the others.
/// </summary>
public sealed class TokenStore(BlobStore blobs, IOptions<SdxlOptions> options, TimeProvider time)
{
    /// <summary>How long a revoked token may still open another instance of the app.</summary>
    public static TimeSpan Freshness { get; } = TimeSpan.FromSeconds(10);

    private const int CachedTokens = 1000;

    private readonly ConcurrentDictionary<string, (TokenRecord Record, DateTimeOffset Read)> _known = new();

    /// <param name="hash"><see cref="ApiTokens.HashOf"/> of the token: how long the look-up takes tells nothing of any token.</param>
    /// <returns>null where the token is unknown, expired or revoked.</returns>
    public async Task<TokenRecord?> FindByHashAsync(string hash, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (_known.TryGetValue(hash, out var known) && now - known.Read < Freshness)
            return known.Record.IsGood(now) ? known.Record : null;
        var record = OfSettings(hash)
            ?? (await blobs.ReadAsync<TokenRecord>(StorageLayout.Records, StorageLayout.Token(hash), cancel))?.Value;
        if (record is null || !AreEqual(record.Hash, hash))
            return null;
        if (_known.Count >= CachedTokens)
            _known.Clear();
        _known[hash] = (record, now);
        return record.IsGood(now) ? record : null;
    }

    /// <returns>The token, which is shown this once, and what is kept of it.</returns>
    public async Task<(string Token, TokenRecord Record)> CreateAsync(
        string owner, string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, CancellationToken cancel)
    {
        var token = ApiTokens.New();
        var record = new TokenRecord(ApiTokens.HashOf(token), owner, name, scopes, time.GetUtcNow(), expires);
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.Token(record.Hash), record, cancel: cancel);
        await blobs.WriteBytesAsync(StorageLayout.Records, StorageLayout.TokenIndex(owner, record.Hash), [], "text/plain", cancel);
        return (token, record);
    }

    /// <summary>The owner's tokens, newest first, the revoked among them.</summary>
    public async Task<IReadOnlyList<TokenRecord>> ListAsync(string owner, CancellationToken cancel)
    {
        var records = new List<TokenRecord>();
        foreach (var name in await blobs.ListAsync(StorageLayout.Records, StorageLayout.TokenIndex(owner, ""), cancel))
        {
            var hash = name[(name.LastIndexOf('/') + 1)..];
            if (await blobs.ReadAsync<TokenRecord>(StorageLayout.Records, StorageLayout.Token(hash), cancel) is { Value: var record })
                records.Add(record);
        }
        return [.. records.OrderByDescending(record => record.CreatedAt)];
    }

    /// <returns>null where the owner has no such token.</returns>
    public async Task<TokenRecord?> RevokeAsync(string owner, string id, CancellationToken cancel)
    {
        if ((await ListAsync(owner, cancel)).FirstOrDefault(record => record.Id() == id) is not { } record)
            return null;
        record = record with { RevokedAt = record.RevokedAt ?? time.GetUtcNow() };
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.Token(record.Hash), record, cancel: cancel);
        _known.TryRemove(record.Hash, out _);
        return record;
    }

    private TokenRecord? OfSettings(string hash) =>
        options.Value.OwnerTokenSha256 is { Length: > 0 } owners && AreEqual(owners.ToLowerInvariant(), hash)
            ? new TokenRecord(hash, options.Value.Owner, "owner", Scopes.All, DateTimeOffset.UnixEpoch) : null;

    private static bool AreEqual(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b));
}
