using System.Text.Json.Serialization;
using Azure;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Versions;

/// <summary>A published version as lists show it.</summary>
/// <param name="Version">64 hex characters.</param>
/// <param name="Base">Base model it belongs to.</param>
public sealed record PublishedVersion(string Version, string Owner, string Name, string Base, string TrainingId, DateTimeOffset CreatedAt)
{
    /// <summary>The step whose weights it has, where it is a checkpoint of a training; null: a training's end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Step { get; init; }
}

/// <summary>models/{owner}/{name}/model.json: the versions that are visible, newest first. What is not in here does not exist.</summary>
public sealed record ModelDocument(string Owner, string Name, IReadOnlyList<PublishedVersion> Versions)
{
    /// <summary>public or private, as said by who made it. Either way it is its owner's alone.</summary>
    public string Visibility { get; init; } = "private";

    public string? Hardware { get; init; }
    public string? Description { get; init; }
    public string? GithubUrl { get; init; }
    public string? PaperUrl { get; init; }
    public string? LicenseUrl { get; init; }
    public string? CoverImageUrl { get; init; }

    /// <summary>null for models of a version before this field: their oldest version's time stands for it.</summary>
    public DateTimeOffset? CreatedAt { get; init; }
}

/// <summary>Which versions are visible.</summary>
public sealed class VersionStore(BlobStore blobs)
{
    /// <summary>Characters of an id that stand for it: 32 bits, so that chance hardly ever makes two begin alike.</summary>
    public const int ShortestBeginning = 8;

    private const int IdLength = 64;
    private const int VersionsNamed = 4;

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
            var next = (current?.Value ?? new ModelDocument(version.Owner, version.Name, []) { CreatedAt = version.CreatedAt })
                with { Versions = [version, .. known] };
            try
            {
                var conditions = current is { } c
                    ? new BlobRequestConditions { IfMatch = c.ETag } : new BlobRequestConditions { IfNoneMatch = ETag.All };
                var blob = await blobs.BlobAsync(StorageLayout.Models, name);
                await blob.UploadAsync(
                    BinaryData.FromString(SdxlJson.Serialize(next)),
                    new BlobUploadOptions
                    {
                        Conditions = conditions, HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
                    },
                    cancel);
                break;
            }
            catch (RequestFailedException e) when (e.Status is 409 or 412)
            {
                // Another version of the same model was published in between: read again.
            }
        }
        // Clients name versions by id alone (ids are globally unique): the way from the id to the model.
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.VersionRecord(version.Owner, version.Version), version, cancel: cancel);
    }

    /// <summary>Makes a model without versions.</summary>
    /// <returns>false if there is one of that name.</returns>
    public Task<bool> CreateAsync(ModelDocument model, CancellationToken cancel) =>
        blobs.CreateAsync(StorageLayout.Models, StorageLayout.ModelDocument(model.Owner, model.Name), model, cancel);

    /// <summary>An owner's models, newest first.</summary>
    public async Task<IReadOnlyList<ModelDocument>> ModelsAsync(string owner, CancellationToken cancel)
    {
        var models = new List<ModelDocument>();
        var container = await blobs.ContainerAsync(StorageLayout.Models);
        await foreach (var item in container.GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.None, "/", owner + "/", cancel))
        {
            if (item.IsPrefix && await ModelAsync(owner, item.Prefix.Split('/')[1], cancel) is { } model)
                models.Add(model);
        }
        return
        [
            .. models.OrderByDescending(model => model.CreatedAt ?? model.Versions.LastOrDefault()?.CreatedAt).ThenBy(model => model.Name),
        ];
    }

    /// <summary>Takes the version out of its model: from then on it does not exist, whatever still lies in storage.</summary>
    public async Task HideAsync(PublishedVersion version, CancellationToken cancel)
    {
        var name = StorageLayout.ModelDocument(version.Owner, version.Name);
        while (await blobs.ReadAsync<ModelDocument>(StorageLayout.Models, name, cancel) is { } current
            && current.Value.Versions.Any(known => known.Version == version.Version))
        {
            try
            {
                await blobs.WriteAsync(
                    StorageLayout.Models, name,
                    current.Value with { Versions = [.. current.Value.Versions.Where(known => known.Version != version.Version)] },
                    current.ETag, cancel);
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                // Another version of the same model was published in between: read again.
            }
        }
    }

    /// <param name="version">owner/name:id.</param>
    /// <returns>null where there is no such version (any more).</returns>
    public async Task<VersionManifest?> ManifestAsync(string version, CancellationToken cancel) => (await blobs.ReadAsync<VersionManifest>(
        StorageLayout.Models, VersionName.Parse(version).Blob(VersionManifest.FileName), cancel))?.Value;

    public async Task<ModelDocument?> ModelAsync(string owner, string name, CancellationToken cancel) =>
        (await blobs.ReadAsync<ModelDocument>(StorageLayout.Models, StorageLayout.ModelDocument(owner, name), cancel))?.Value;

    /// <summary>
    /// Finds what a client means by "ID", "owner/name:ID", "owner/name" (its newest version) or "name". The beginning of an id will do
    /// where no other begins so.
    /// </summary>
    /// <exception cref="InputException">Several begin so; the message names them.</exception>
    public async Task<PublishedVersion?> FindAsync(string reference, string owner, CancellationToken cancel)
    {
        var colon = reference.IndexOf(':');
        var id = colon >= 0 ? reference[(colon + 1)..] : reference;
        if (IsHex(id) && id.Length == IdLength)
            return (await blobs.ReadAsync<PublishedVersion>(StorageLayout.Records, StorageLayout.VersionRecord(owner, id), cancel))?.Value;
        var model = Core.Identity.ModelName.TryParse(colon >= 0 ? reference[..colon] : reference, owner, out _) is { } name
            && name.Owner == owner // what is another's does not exist
            ? await ModelAsync(name.Owner, name.Name, cancel) : null;
        if (colon < 0 && model is not null)
            return model.Versions.FirstOrDefault();
        if (!IsHex(id) || id.Length is < ShortestBeginning or > IdLength)
            return null;
        var begun = colon >= 0
            ? [.. (model?.Versions ?? []).Where(version => version.Version.StartsWith(id, StringComparison.Ordinal))]
            : await BegunByAsync(owner, id, cancel);
        if (begun.Count > 1)
        {
            var named = string.Join(", ", begun.Take(VersionsNamed).Select(version => $"{version.Owner}/{version.Name}:{version.Version}"));
            var (count, more) = begun.Count > VersionsNamed ? ("many", ", …") : ($"{begun.Count}", "");
            throw new InputException([new InputProblem(
                "version", $"Version '{reference}' may be one of {count}: {named}{more}. Give more characters of its id.")]);
        }
        return begun.Count == 0 ? null : begun[0];
    }

    /// <summary>The versions whose ids begin so, as many as a sentence names and one more.</summary>
    private async Task<IReadOnlyList<PublishedVersion>> BegunByAsync(string owner, string beginning, CancellationToken cancel)
    {
        var versions = new List<PublishedVersion>();
        var container = await blobs.ContainerAsync(StorageLayout.Records);
        var prefix = StorageLayout.VersionRecord(owner, beginning)[..^".json".Length];
        await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
        {
            if (await blobs.ReadAsync<PublishedVersion>(StorageLayout.Records, blob.Name, cancel) is { Value: var version })
                versions.Add(version);
            if (versions.Count > VersionsNamed)
                break;
        }
        return versions;
    }

    private static bool IsHex(string id) => id.All(char.IsAsciiHexDigitLower);
}
