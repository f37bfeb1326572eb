using Sdxl.Core.Identity;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Jobs;

/// <summary>The durable end that a GPU worker writes before it sends the event: what the event said, also where it got lost.</summary>
public sealed class JobEnds(BlobStore blobs)
{
    /// <returns>null: the worker has not ended the training.</returns>
    public async Task<WorkerEvent?> OfTrainingAsync(JobKey training, CancellationToken cancel) =>
        (await blobs.ReadAsync<WorkerEvent>(StorageLayout.Jobs, StorageLayout.Result(training), cancel))?.Value;

    /// <returns>null: the worker has not ended the training or prediction of that id.</returns>
    public async Task<WorkerEvent?> OfAsync(JobKey job, CancellationToken cancel) => await OfTrainingAsync(job, cancel)
        ?? (await blobs.ReadAsync<WorkerEvent>(StorageLayout.Predictions, StorageLayout.DrawnResult(job), cancel))?.Value;

    /// <summary>
    /// Removes what only a training under way needs: deliveries' places with checkpoints and outputs, and a wish that came too late. What
    /// people read stays.
    /// </summary>
    public async Task DropScratchAsync(JobKey training, CancellationToken cancel)
    {
        await blobs.DeleteAllAsync(StorageLayout.Jobs, StorageLayout.Attempts(training), cancel);
        await (await blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.SampleMark(training))).DeleteIfExistsAsync(
            cancellationToken: cancel);
    }

    public Task<bool> IsCanceledAsync(JobKey job, CancellationToken cancel) =>
        blobs.ExistsAsync(StorageLayout.Jobs, StorageLayout.CancelMark(job), cancel);
}
