using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Telemetry;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>The training ends without a version: failed, canceled, or only checked (succeeded).</summary>
public sealed record TrainingEnd(JobKey Training, JobStatus Status, string? Error);

/// <summary>Ends a training without a version: failed with its one sentence, canceled, or only checked.</summary>
public sealed class FinishTraining(RecordStore records, BlobStore blobs, JobEnds ends, TimeProvider time)
{
    [Function(nameof(FinishTraining))]
    public async Task<bool> Run([ActivityTrigger] TrainingEnd end, CancellationToken cancel)
    {
        // The last line before the record says that it is over: whoever waits for that reads the log then.
        var line = end.Error ?? (end.Status == JobStatus.Canceled ? "Canceled." : "Checked.");
        await blobs.AppendLineOnceAsync(StorageLayout.Jobs, StorageLayout.Log(end.Training), line, cancel);
        await records.ChangeTrainingAsync(
            end.Training, r => r.With(end.Status, r.Stage, time.GetUtcNow()) with { Error = end.Error }, cancel);
        await ends.DropScratchAsync(end.Training, cancel);
        if (end.Status != JobStatus.Succeeded) // only checked: nothing was trained
            FunctionsTelemetry.TrainingEnded(end.Status);
        return true;
    }
}
