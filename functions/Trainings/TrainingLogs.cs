using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>A job's log as people read it: the functions' lines up to the hand-over, the worker's, and the functions' end.</summary>
public sealed class TrainingLogs(BlobStore blobs)
{
    /// <summary>The line after which the worker's own begin (<see cref="Activities.DispatchTraining"/>).</summary>
    internal const string HandOver = "Waiting for a GPU worker.";

    /// <summary>All of it, lines that end in \n; "" before there is one. It only grows.</summary>
    public async Task<string> ReadAsync(JobKey job, CancellationToken cancel)
    {
        var own = blobs.ReadTextAsync(StorageLayout.Jobs, StorageLayout.Log(job), cancel);
        var workers = await blobs.ReadTextAsync(StorageLayout.Jobs, StorageLayout.WorkerLog(job), cancel) ?? "";
        var ours = await own ?? "";
        var place = ours.IndexOf(HandOver + "\n", StringComparison.Ordinal);
        var end = place < 0 ? ours.Length : place + HandOver.Length + 1;
        return string.Concat(ours.AsSpan(0, end), workers, ours.AsSpan(end));
    }

    /// <summary>The last lines.</summary>
    public async Task<string> TailAsync(JobKey job, int lines, CancellationToken cancel)
    {
        var log = await ReadAsync(job, cancel);
        var at = log.Length;
        for (var found = 0; at > 0; at--)
        {
            if (log[at - 1] == '\n' && at < log.Length && ++found == lines)
                break;
        }
        return log[at..];
    }
}
