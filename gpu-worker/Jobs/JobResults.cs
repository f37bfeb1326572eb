using System.Text;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// The durable end of a job: the event that ends it, written once, before it is sent. The first word stands: who comes later (a worker that
/// had lost its lock, a second delivery) tells what is written there instead of its own.
/// </summary>
public sealed class JobResults(JobBlobs blobs)
{
    /// <returns>null: the job has not ended.</returns>
    public async Task<WorkerEvent?> ReadAsync((string Container, string Name) place, CancellationToken cancel) =>
        await blobs.ReadAsync(place.Container, place.Name, cancel) is { } found
            ? SdxlJson.Deserialize<WorkerEvent>(found.ToString())
            : null;

    /// <returns>The end that stands.</returns>
    public async Task<WorkerEvent> WriteOnceAsync((string Container, string Name) place, WorkerEvent end, CancellationToken cancel)
    {
        var bytes = Encoding.UTF8.GetBytes(SdxlJson.Serialize(end));
        return await blobs.TryUploadAsync(place.Container, place.Name, bytes, over: null, cancel)
            ? end
            : (await ReadAsync(place, cancel))!;
    }
}
