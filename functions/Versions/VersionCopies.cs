using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Faults;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Versions;

/// <summary>
/// Brings what a worker left under a version's name: verified against its hashes before, write-once, verified again after, the manifest
/// last. Nobody sees it until the version is made visible. May run twice, also at the same time: the name is the content's hash.
/// </summary>
public sealed class VersionCopies(BlobStore blobs)
{
    /// <param name="from">Name of the blob, among those of jobs, that is a file of the version.</param>
    /// <exception cref="InvalidDataException">A file is missing or not what the manifest says; nothing was copied.</exception>
    public async Task CopyAsync(
        string owner, string name, VersionManifest manifest, Func<VersionFile, string> from, CancellationToken cancel)
    {
        var version = VersionManifest.IdOf(manifest.ToBytes());
        var problems = new List<string>();
        foreach (var file in manifest.Files)
        {
            if (await ProblemOf(file, from(file), cancel) is { } problem)
                problems.Add(problem);
        }
        if (problems.Count > 0)
            throw new InvalidDataException($"The worker's files are not whole, nothing was published: {string.Join("; ", problems)}.");
        foreach (var file in manifest.Files)
        {
            await CopyOnce(file, from(file), StorageLayout.Version(owner, name, version, file.Name), cancel);
            FaultPoints.Hit(FaultPoints.MiddleOfPublish);
        }
        await blobs.WriteBytesAsync(
            StorageLayout.Models, StorageLayout.Version(owner, name, version, VersionManifest.FileName), manifest.ToBytes(),
            "application/json", cancel);
    }

    private async Task<string?> ProblemOf(VersionFile file, string source, CancellationToken cancel)
    {
        var blob = await blobs.BlobAsync(StorageLayout.Jobs, source);
        try
        {
            var (expected, found) = (file.Sha256, await HashOf(blob, cancel));
            return found == expected ? null : $"{file.Name} has SHA-256 {found}, expected {expected}";
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return $"{file.Name} is missing";
        }
    }

    /// <summary>Copies a file unless it is there, and makes sure that what is there is whole: a copy that another attempt began may have
    /// been cut off.</summary>
    private async Task CopyOnce(VersionFile file, string source, string target, CancellationToken cancel)
    {
        var from = await blobs.BlobAsync(StorageLayout.Jobs, source);
        var to = await blobs.BlobAsync(StorageLayout.Models, target);
        try
        {
            var copy = await to.StartCopyFromUriAsync(
                from.Uri,
                new BlobCopyFromUriOptions { DestinationConditions = new BlobRequestConditions { IfNoneMatch = ETag.All } },
                cancel);
            await copy.WaitForCompletionAsync(cancel);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            // There already: an earlier attempt, or the same training repeated. The name is the content's hash, so the bytes should be the
            // same.
        }
        while ((await to.GetPropertiesAsync(cancellationToken: cancel)).Value.CopyStatus == CopyStatus.Pending)
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
        if (await HashOf(to, cancel) is var found && found != file.Sha256)
        {
            await to.DeleteIfExistsAsync(cancellationToken: cancel);
            throw new InvalidDataException($"The copy {StorageLayout.Models}/{target} has SHA-256 {found}, expected {file.Sha256}; it was "
                + "removed to be copied again.");
        }
    }

    private static async Task<string> HashOf(BlobClient blob, CancellationToken cancel)
    {
        await using var content = await blob.OpenReadAsync(cancellationToken: cancel);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
    }
}
