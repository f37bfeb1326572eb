using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Telemetry;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>
/// What has become of a training whose worker has not answered for a while: how it ended, where the event got lost; the sentence it fails
/// with, where no worker has reported for too long; null: it goes on.
/// </summary>
public sealed class CheckHeartbeat(BlobStore blobs, RecordStore records, JobEnds ends, IOptions<SdxlOptions> options, TimeProvider time)
{
    /// <returns>A <see cref="WorkerEvent"/> as JSON, or null.</returns>
    [Function(nameof(CheckHeartbeat))]
    public async Task<string?> Run([ActivityTrigger] JobKey training, CancellationToken cancel)
    {
        if (await ends.OfTrainingAsync(training, cancel) is { } end)
            return SdxlJson.Serialize(end);
        var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(training), cancel))?.Value;
        var record = await records.TrainingAsync(training, cancel);
        var now = time.GetUtcNow();
        var silence = now - (progress?.At ?? record?.StartedAt ?? now);
        FunctionsTelemetry.Silence(silence);
        if (silence < TimeSpan.FromHours(options.Value.MaxSilenceHours))
            return null;
        return SdxlJson.Serialize<WorkerEvent>(new JobFailed(
            training, progress?.Attempt ?? 1, now,
            $"No GPU worker has reported on this training for {silence.TotalHours:F0} hours (last step: {progress?.Step ?? 0}). Check "
                + "that a worker runs and reads the queue, then start the training again."));
    }
}
