using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// An archive dropped into the uploads container starts a training. Blob metadata may carry inputs by name, and "name", "owner" and "base";
/// a training.json inside the archive may carry inputs. Bad input becomes a failed training, never a poisoned trigger.
/// </summary>
public sealed class UploadTrigger(TrainingStarter starter, IOptions<SdxlOptions> options, ILogger<UploadTrigger> log)
{
    [Function(nameof(UploadTrigger))]
    public async Task Run(
        [BlobTrigger(StorageLayout.Uploads + "/{name}", Connection = SdxlFunctions.StorageConnection)] BlobClient blob,
        string name,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        var properties = (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value;
        // The same blob path and ETag give the same id: a repeated event starts nothing, a new upload over the old name does.
        var id = JobId.OfUpload(blob.Uri, properties.ETag.ToString());
        var given = new JsonObject();
        foreach (var (key, value) in properties.Metadata)
            given[key.ToLowerInvariant()] = value;
        var folder = name.Contains('/') ? name[..name.IndexOf('/')] : options.Value.Owner;
        var request = new TrainingRequest(
            id,
            Owner: ModelName.Slug(Take(given, "owner") ?? folder).Name,
            Name: ModelName.Slug(Take(given, "name") ?? name).Name,
            Base: Take(given, "base") ?? options.Value.DefaultBase,
            Archive: $"{StorageLayout.Uploads}/{name}",
            GivenInputs: given.ToJsonString(),
            Source: "upload",
            ArchiveETag: properties.ETag.ToString());
        if (!await starter.StartAsync(client, request, cancel))
            log.UploadSeenBefore(id, request.Archive);
    }

    private static string? Take(JsonObject given, string key)
    {
        var value = given[key]?.GetValue<string>();
        given.Remove(key);
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }
}
