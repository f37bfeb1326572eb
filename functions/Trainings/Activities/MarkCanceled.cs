using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Leaves the mark that the worker looks for between steps: it has no inbound port, so it asks.</summary>
public sealed class MarkCanceled(BlobStore blobs)
{
    [Function(nameof(MarkCanceled))]
    public async Task<bool> Run([ActivityTrigger] string jobId, CancellationToken cancel)
    {
        await blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.CancelMark(jobId), [], "text/plain", cancel);
        return true;
    }
}
