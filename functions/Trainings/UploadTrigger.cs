using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using Azure.Messaging;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// An archive dropped into the uploads container starts a training: Event Grid (locally a watcher) puts the BlobCreated CloudEvent into the
/// queue `uploads`. Blob metadata may carry inputs by name, and "name", "owner" and "base"; a training.json inside the archive may carry
/// inputs. Bad input becomes a failed training, never a poisoned trigger. Metadata of scanners and tools, which looks like no input, is
/// ignored.
/// </summary>
public sealed class UploadTrigger(TrainingStarter starter, BlobStore blobs, IOptions<SdxlOptions> options, ILogger<UploadTrigger> log)
{
    private const string BlobsOf = "/blobs/";

    [Function(nameof(UploadTrigger))]
    public async Task Run(
        [ServiceBusTrigger(Queues.Uploads, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        var name = NameOf(body);
        var blob = await blobs.BlobAsync(StorageLayout.Uploads, name);
        if (await PropertiesAsync(blob, cancel) is not { } properties)
        {
            log.UploadIsGone(name);
            return;
        }
        // Data Lake tools mark folders with empty blobs; others make a blob first and fill it a moment later, which is an event of its own.
        if (properties.ContentLength == 0)
        {
            log.UploadIsEmpty(name);
            return;
        }
        // The same path and content give the same id: a repeated event or metadata written later starts nothing, another archive under the
        // old name does.
        var md5 = properties.ContentLength <= options.Value.MaxArchiveBytes ? await ContentMd5Async(blob, cancel) : null;
        // One that is too large is not read: its training fails by saying so.
        var id = JobId.OfUpload(blob.Uri, md5 ?? properties.ETag.ToString());
        var given = new JsonObject();
        foreach (var (key, value) in properties.Metadata)
        {
            // A misspelt input is kept, so that the training says what was meant; anything else is somebody's mark.
            if (TrainingMetadata.MayBeMeant(key))
                given[key.ToLowerInvariant()] = value;
            else
                log.MetadataIgnored(id, key, name);
        }
        var folder = name.Contains('/') ? name[..name.IndexOf('/')] : options.Value.Owner;
        var request = new TrainingRequest(
            id,
            Owner: ModelName.Slug(Take(given, "owner") ?? folder).Name,
            Name: ModelName.Slug(Take(given, "name") ?? name).Name,
            Base: Take(given, "base") ?? options.Value.DefaultBase,
            Archive: $"{StorageLayout.Uploads}/{name}",
            GivenInputs: given.ToJsonString(),
            Source: "upload",
            ArchiveMd5: md5);
        if (!await starter.StartAsync(client, request, cancel))
            log.UploadSeenBefore(id, request.Archive);
    }

    /// <summary>"/blobServices/default/containers/uploads/blobs/me/cat.zip" names me/cat.zip.</summary>
    /// <exception cref="JsonException">The message is no event of this container; it ends in the dead-letter queue with this
    /// sentence.</exception>
    private static string NameOf(string body)
    {
        var happened =
            CloudEvent.Parse(new BinaryData(body))
            ?? throw new JsonException($"Expected a CloudEvent in the queue '{Queues.Uploads}', found nothing.");
        var place = $"/containers/{StorageLayout.Uploads}{BlobsOf}";
        return happened.Type == StorageLayout.BlobCreated && happened.Subject?.IndexOf(place, StringComparison.Ordinal) is >= 0 and var at
            ? happened.Subject[(at + place.Length)..]
            : throw new JsonException(
                $"Expected a CloudEvent of type {StorageLayout.BlobCreated} with subject …{place}NAME in the queue '{Queues.Uploads}', "
                    + $"found type '{happened.Type}', "
                + $"subject '{happened.Subject}'. Let only that container's events come into the queue.");
    }

    private static async Task<BlobProperties?> PropertiesAsync(BlobClient blob, CancellationToken cancel)
    {
        try
        {
            return (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Base64. Of the content itself: what storage says of large blobs is what their uploader said.</summary>
    private static async Task<string> ContentMd5Async(BlobClient blob, CancellationToken cancel)
    {
        await using var content = await blob.OpenReadAsync(cancellationToken: cancel);
        return Convert.ToBase64String(await MD5.HashDataAsync(content, cancel));
    }

    private static string? Take(JsonObject given, string key)
    {
        var value = given[key]?.GetValue<string>();
        given.Remove(key);
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }
}
