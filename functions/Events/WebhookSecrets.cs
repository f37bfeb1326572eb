using Azure;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>The keys with which an owner's webhooks are signed: made when first asked for, replaced on demand.</summary>
public sealed class WebhookSecrets(BlobStore blobs, TimeProvider time)
{
    /// <summary>The old key signs beside the new one for so long: receivers have this time to learn the new one.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromDays(1);

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<byte[]>> KeysAsync(string owner, CancellationToken cancel)
    {
        var keys = (await ReadAsync(owner, cancel)).Keys;
        return keys.Previous is { } old && keys.PreviousUntil > time.GetUtcNow() ? [keys.Current, old] : [keys.Current];
    }

    public async Task<string> SecretAsync(string owner, CancellationToken cancel) =>
        WebhookSignature.Secret((await ReadAsync(owner, cancel)).Keys.Current);

    /// <summary>Makes a new key.</summary>
    /// <returns>The new secret.</returns>
    public async Task<string> RotateAsync(string owner, CancellationToken cancel)
    {
        var (keys, tag) = await ReadAsync(owner, cancel);
        var next = new OwnerKeys(WebhookSignature.NewKey(), keys.Current, time.GetUtcNow() + Overlap);
        try
        {
            await blobs.WriteAsync(StorageLayout.Records, StorageLayout.WebhookSecret(owner), next, tag, cancel);
            return WebhookSignature.Secret(next.Current);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            return await SecretAsync(owner, cancel); // replaced at the same time by another request
        }
    }

    private async Task<(OwnerKeys Keys, ETag Tag)> ReadAsync(string owner, CancellationToken cancel)
    {
        var name = StorageLayout.WebhookSecret(owner);
        while (true)
        {
            if (await blobs.ReadAsync<OwnerKeys>(StorageLayout.Records, name, cancel) is { } known)
                return known;
            await blobs.CreateAsync(StorageLayout.Records, name, new OwnerKeys(WebhookSignature.NewKey(), null, null), cancel);
        }
    }

    private sealed record OwnerKeys(byte[] Current, byte[]? Previous, DateTimeOffset? PreviousUntil);
}
