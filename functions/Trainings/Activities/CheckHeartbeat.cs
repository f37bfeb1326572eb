using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Whether a worker still reports. Returns null if so, else the sentence that the training fails with.</summary>
public sealed class CheckHeartbeat(BlobStore blobs, RecordStore records, IOptions<SdxlOptions> options, TimeProvider time)
{
    [Function(nameof(CheckHeartbeat))]
    public async Task<string?> Run([ActivityTrigger] JobKey training, CancellationToken cancel)
    {
        var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(training), cancel))?.Value;
        var record = await records.TrainingAsync(training, cancel);
        var lastSign = progress?.At ?? record?.StartedAt ?? time.GetUtcNow();
        var silence = time.GetUtcNow() - lastSign;
        return silence < TimeSpan.FromHours(options.Value.MaxSilenceHours)
            ? null
            : $"No GPU worker has reported on this training for {silence.TotalHours:F0} hours (last step: {progress?.Step ?? 0}). Check "
                + "that a worker runs and reads the queue, then start the training again.";
    }
}
