using Azure;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// The user's wish to see sample pictures now: a mark in storage that is looked for as the others are, taken by the training at its next
/// step, and removed when the pictures are stored. A worker that is lost in between leaves the mark to the next one.
/// </summary>
/// <remarks>
/// Marks are told apart by what storage calls them: one that is being answered is not answered twice, one that is set meanwhile is not
/// lost.
/// </remarks>
public sealed class SampleWish(JobBlobs blobs, JobKey job)
{
    private readonly Lock _lock = new();
    private ETag? _seen, _taken;

    public async Task LookAsync(CancellationToken cancel)
    {
        var tag = await blobs.TagAsync(StorageLayout.Jobs, StorageLayout.SampleMark(job), cancel);
        lock (_lock)
        {
            if (tag != _taken)
                _seen = tag;
        }
    }

    /// <summary>Whether pictures are wanted at this step; the wish is then this caller's to answer. Does not wait.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (_seen is null)
                return false;
            (_taken, _seen) = (_seen, null);
            return true;
        }
    }

    /// <summary>The pictures are stored: takes the mark away, unless it was set again meanwhile.</summary>
    public Task AnsweredAsync(CancellationToken cancel)
    {
        ETag? taken;
        lock (_lock)
            taken = _taken;
        return taken is { } tag
            ? blobs.DeleteAsync(StorageLayout.Jobs, StorageLayout.SampleMark(job), tag, cancel)
            : Task.CompletedTask;
    }
}
