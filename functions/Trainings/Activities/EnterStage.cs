using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>The training enters a stage.</summary>
public sealed record StageEntry(JobKey Training, TrainingStage Stage);

/// <summary>Writes the stage into the record.</summary>
public sealed class EnterStage(RecordStore records, TimeProvider time)
{
    [Function(nameof(EnterStage))]
    public async Task<bool> Run([ActivityTrigger] StageEntry entry, CancellationToken cancel)
    {
        await records.ChangeTrainingAsync(entry.Training, r => r.With(JobStatus.Processing, entry.Stage, time.GetUtcNow()), cancel);
        return true;
    }
}
