using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Jobs;

/// <summary>Leaves the mark that the worker looks for between steps: it has no inbound port, so it asks.</summary>
public sealed class MarkCanceled(BlobStore blobs)
{
    /// <returns>true if a worker has begun the job: it will answer. If none has, whoever takes the message finds the mark first.</returns>
    [Function(nameof(MarkCanceled))]
    public async Task<bool> Run([ActivityTrigger] JobKey job, CancellationToken cancel)
    {
        await blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.CancelMark(job), [], "text/plain", cancel);
        return await blobs.ExistsAsync(StorageLayout.Jobs, StorageLayout.Turn(job), cancel);
    }
}
