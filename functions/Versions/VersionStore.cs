using Azure;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Versions;

/// <summary>A published version as lists show it.</summary>
/// <param name="Version">64 hex characters.</param>
/// <param name="Base">Base model it belongs to.</param>
public sealed record PublishedVersion(string Version, string Owner, string Name, string Base, string TrainingId, DateTimeOffset CreatedAt);

/// <summary>models/{owner}/{name}/model.json: the versions that are visible, newest first. What is not in here does not exist.</summary>
public sealed record ModelDocument(string Owner, string Name, IReadOnlyList<PublishedVersion> Versions);

/// <summary>Which versions are visible.</summary>
public sealed class VersionStore(BlobStore blobs)
{
    private static string ById(string version) => $"versions/{version}.json";

    /// <summary>Adds the version to its model by one conditional write; a second time changes nothing.</summary>
    public async Task MakeVisibleAsync(PublishedVersion version, CancellationToken cancel)
    {
        var name = StorageLayout.ModelDocument(version.Owner, version.Name);
        while (true)
        {
            var current = await blobs.ReadAsync<ModelDocument>(StorageLayout.Models, name, cancel);
            var known = current?.Value.Versions ?? [];
            if (known.Any(v => v.Version == version.Version))
                break;
            var next = new ModelDocument(version.Owner, version.Name, [version, .. known]);
            try
            {
                var conditions = current is { } c ? new BlobRequestConditions { IfMatch = c.ETag } : new BlobRequestConditions { IfNoneMatch = ETag.All };
                var blob = await blobs.BlobAsync(StorageLayout.Models, name);
                await blob.UploadAsync(
                    BinaryData.FromString(SdxlJson.Serialize(next)),
                    new BlobUploadOptions { Conditions = conditions, HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" } },
                    cancel);
                break;
            }
            catch (RequestFailedException e) when (e.Status is 409 or 412)
            {
                // Another version of the same model was published in between: read again.
            }
        }
        // Clients name versions by id alone (ids are globally unique): the way from the id to the model.
        await blobs.WriteAsync(StorageLayout.Records, ById(version.Version), version, cancel: cancel);
    }

    public async Task<ModelDocument?> ModelAsync(string owner, string name, CancellationToken cancel) =>
        (await blobs.ReadAsync<ModelDocument>(StorageLayout.Models, StorageLayout.ModelDocument(owner, name), cancel))?.Value;

    /// <summary>Finds what a client means by "ID", "owner/name:ID", "owner/name" (its newest version) or "name".</summary>
    public async Task<PublishedVersion?> FindAsync(string reference, string defaultOwner, CancellationToken cancel)
    {
        var colon = reference.IndexOf(':');
        var id = colon >= 0 ? reference[(colon + 1)..] : reference;
        if (id.Length == 64 && id.All(char.IsAsciiHexDigitLower))
            return (await blobs.ReadAsync<PublishedVersion>(StorageLayout.Records, ById(id), cancel))?.Value;
        if (colon >= 0 || Core.Identity.ModelName.TryParse(reference, defaultOwner, out _) is not { } model)
            return null;
        return (await ModelAsync(model.Owner, model.Name, cancel))?.Versions.FirstOrDefault();
    }
}
