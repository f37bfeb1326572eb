using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// The durable end of a job: the event that ends it, written once, before it is sent. The first word stands: who comes later (a worker that
/// had lost its lock, a second delivery) tells what is written there instead of its own.
/// </summary>
public sealed class JobResults(BlobServiceClient service)
{
    /// <returns>null: the job has not ended.</returns>
    public async Task<WorkerEvent?> ReadAsync((string Container, string Name) place, CancellationToken cancel)
    {
        try
        {
            return SdxlJson.Deserialize<WorkerEvent>((await Blob(place).DownloadContentAsync(cancel)).Value.Content.ToString());
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <returns>The end that stands.</returns>
    public async Task<WorkerEvent> WriteOnceAsync((string Container, string Name) place, WorkerEvent end, CancellationToken cancel)
    {
        try
        {
            await Blob(place).UploadAsync(
                new BinaryData(Encoding.UTF8.GetBytes(SdxlJson.Serialize(end))),
                new BlobUploadOptions
                {
                    Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
                    HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
                },
                cancel);
            return end;
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            return (await ReadAsync(place, cancel))!;
        }
    }

    private BlobClient Blob((string Container, string Name) place) =>
        service.GetBlobContainerClient(place.Container).GetBlobClient(place.Name);
}
