using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sdxl.Core.Bases;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Versions;

/// <summary>A version as clients see it.</summary>
/// <param name="OpenapiSchema">Never null: Replicate's command line reads it without looking.</param>
/// <param name="Base">Base model it was trained on; ours.</param>
/// <param name="Files">Link by file name; ours. null in lists.</param>
/// <param name="Parent">The version that its training went on from, owner/name:id; ours. null in lists.</param>
/// <param name="Step">The step of its training whose weights it has; ours. null: the training's end.</param>
public sealed record VersionView(
    string Id, DateTimeOffset CreatedAt, string CogVersion, JsonObject OpenapiSchema, string Base, string? TrainingId,
    IReadOnlyDictionary<string, string>? Files, string? Parent = null, int? Step = null);

/// <summary>A model as clients see it; <paramref name="LatestVersion"/> is null until its first training has succeeded.</summary>
public sealed record ModelView(
    string Url, string Owner, string Name, string Visibility, string? Description, string? GithubUrl, string? PaperUrl, string? LicenseUrl,
    string? CoverImageUrl, int RunCount, bool IsOfficial, object? DefaultExample, VersionView? LatestVersion, string? Hardware,
    DateTimeOffset? CreatedAt);

/// <summary>Puts models and versions together for clients: published ones and the base models alike.</summary>
public sealed class ModelViews(BaseCatalog catalog, BlobStore blobs, FileLinks links, Addresses addresses)
{
    private const string CogVersion = "0.9.0"; // semver; the Go client parses it

    public ModelView Of(ModelDocument model, HttpRequest request) => new(
        addresses.Of(request, $"models/{model.Owner}/{model.Name}"), model.Owner, model.Name, model.Visibility, model.Description,
        model.GithubUrl, model.PaperUrl, model.LicenseUrl, model.CoverImageUrl, 0, false, null,
        model.Versions.Count == 0 ? null : Of(model.Versions[0]), model.Hardware,
        model.CreatedAt ?? model.Versions.LastOrDefault()?.CreatedAt);

    public ModelView Of(BaseModel model, HttpRequest request) => new(
        addresses.Of(request, $"models/{model.FullName}"), BaseModels.Owner, model.Name, "public", model.Manifest.Description, null, null,
        model.Manifest.Sources.FirstOrDefault()?.LicenceUrl, null, 0, true, null, VersionOf(model), null, DateTimeOffset.UnixEpoch);

    /// <summary>Without links.</summary>
    public VersionView Of(PublishedVersion version) => new(
        version.Version, version.CreatedAt, CogVersion, InputSchemas.Document(Defaults(version.Base), null), version.Base,
        version.TrainingId, null, Step: version.Step);

    public VersionView VersionOf(BaseModel model) => new(
        model.Version, DateTimeOffset.UnixEpoch, CogVersion,
        InputSchemas.Document(model.Manifest.PredictionDefaults, model.Manifest.TrainingDefaults), model.Manifest.Name, null, null);

    /// <summary>With links to all of its files.</summary>
    public async Task<VersionView> WithFilesAsync(PublishedVersion version, HttpRequest request, CancellationToken cancel)
    {
        var prefix = StorageLayout.VersionPrefix(version.Owner, version.Name, version.Version);
        var manifest = await blobs.ReadAsync<VersionManifest>(StorageLayout.Models, prefix + VersionManifest.FileName, cancel);
        var (root, files) = (addresses.RootOf(request), new Dictionary<string, string>());
        foreach (var name in (manifest?.Value.Files.Select(file => file.Name) ?? []).Append(VersionManifest.FileName))
            files[name] = await links.OfAsync(root, StorageLayout.Models, prefix + name, cancel);
        return Of(version) with { Files = files, Parent = manifest?.Value.Parent };
    }

    private JsonObject Defaults(string baseName)
    {
        try
        {
            return catalog.Get(baseName).PredictionDefaults;
        }
        catch (BaseNotFoundException)
        {
            return []; // the base model has been taken away; its versions can still be listed
        }
    }
}
