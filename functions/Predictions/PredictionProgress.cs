using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Text;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Predictions;

/// <summary>Writes into a prediction's record what its worker tells, and ends it. Doing any of it twice changes nothing.</summary>
public sealed class PredictionProgress(RecordStore records, BlobStore blobs, IMessageQueues queues, TimeProvider time)
{
    /// <returns>false where the event is not about a prediction, or about none that is there.</returns>
    public async Task<bool> TakeAsync(WorkerEvent happened, CancellationToken cancel) => happened switch
    {
        DrawingStarted started => await records.ChangePredictionAsync(
            happened.Job,
            r => r.Status == JobStatus.Starting ? r with { Status = JobStatus.Processing, StartedAt = started.At } : r,
            cancel) is not null,
        PictureDrawn drawn => await records.ChangePredictionAsync(
            happened.Job,
            r => JobTransitions.IsTerminal(r.Status) || r.Pictures.Count >= drawn.Pictures.Count
                ? r : r with { Status = JobStatus.Processing, StartedAt = r.StartedAt ?? drawn.At, Pictures = drawn.Pictures },
            cancel) is not null,
        DrawingLogged => await TellAsync(new LogsGrew(happened.Job, PredictionRecord.Kind), cancel),
        PredictionCompleted done => await EndAsync(done.Job, r => WithPictures(r, done), cancel) is not null,
        // A job's id does not say what it is: these may be about a training.
        JobFailed failed => await EndAsync(failed.Job, r => r with { Status = JobStatus.Failed, Error = failed.Error }, cancel) is not null,
        JobCanceled => await EndAsync(happened.Job, r => r with { Status = JobStatus.Canceled }, cancel) is not null,
        _ => false,
    };

    /// <summary>Ends a prediction that its caller does not want any more, at once: the worker stops when it finds the mark.</summary>
    public async Task<PredictionRecord?> CancelAsync(JobKey prediction, CancellationToken cancel)
    {
        await MarkAsync(prediction, cancel);
        return await EndAsync(prediction, r => r with { Status = JobStatus.Canceled }, cancel);
    }

    /// <summary>The time is up. Where the worker's last word lies in storage, it counts; else the prediction fails.</summary>
    public async Task EndOverdueAsync(JobKey prediction, double hours, CancellationToken cancel)
    {
        if (await records.PredictionAsync(prediction, cancel) is not { } record || JobTransitions.IsTerminal(record.Status))
            return;
        if (
            await blobs.ReadAsync<WorkerEvent>(StorageLayout.Predictions, StorageLayout.DrawnResult(prediction), cancel) is
            { Value: var result }
        )
        {
            await TakeAsync(result, cancel);
            return;
        }
        await MarkAsync(prediction, cancel);
        await EndAsync(prediction, r => r with
        {
            Status = JobStatus.Failed,
            Error = FormattableString.Invariant($"No GPU worker has drawn this within {hours:0.##} hours. ")
                + "Check that a worker runs and reads the queue, then try again.",
        }, cancel);
    }

    private async Task<bool> TellAsync(LogsGrew grew, CancellationToken cancel)
    {
        await queues.SendAsync<EventMessage>(Queues.Events, $"{Guid.NewGuid():N}", grew, cancel: cancel);
        return true;
    }

    private Task MarkAsync(JobKey prediction, CancellationToken cancel) =>
        blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.CancelMark(prediction), [], "text/plain", cancel);

    private async Task<PredictionRecord?> EndAsync(JobKey key, Func<PredictionRecord, PredictionRecord> end, CancellationToken cancel)
    {
        var drawing = (await blobs.ReadAsync<DrawingState>(StorageLayout.Jobs, StorageLayout.Drawing(key), cancel))?.Value;
        var ended = await records.ChangePredictionAsync(
            key,
            r => JobTransitions.IsTerminal(r.Status) ? r : end(r) with
            {
                CompletedAt = time.GetUtcNow(), StartedAt = r.StartedAt ?? drawing?.At, Logs = drawing?.Logs ?? "",
            },
            cancel);
        // Nothing reads the files any more that came with the request.
        if (ended is not null)
            await blobs.DeleteAllAsync(StorageLayout.Jobs, StorageLayout.JobInputs(key), cancel);
        return ended;
    }

    private static PredictionRecord WithPictures(PredictionRecord r, PredictionCompleted done)
    {
        var flagged = done.Pictures.Where(picture => picture.Flagged).ToList();
        var all = flagged.Count > 0 && flagged.Count == done.Pictures.Count;
        return r with
        {
            Status = all ? JobStatus.Failed : JobStatus.Succeeded,
            Error = all ? "The safety checker objects to every picture. Try another prompt or seed." : null,
            Pictures = done.Pictures,
            PredictSeconds = done.PredictSeconds,
            Warnings = flagged.Count == 0 || all
                ? [.. r.Warnings, .. done.Warnings ?? []]
                : [.. r.Warnings, .. done.Warnings ?? [],
                    $"The safety checker left out {flagged.Count} of {Plural.Of(done.Pictures.Count, "picture")}: "
                        + $"{string.Join(", ", flagged.Select(picture => $"{picture.File} (seed {picture.Seed})"))}."],
        };
    }
}
