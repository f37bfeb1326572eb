using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Makes the training's record, unless its POST has made it. Doing it twice changes nothing.</summary>
public sealed class StartTraining(RecordStore records, TimeProvider time)
{
    [Function(nameof(StartTraining))]
    public async Task<bool> Run([ActivityTrigger] TrainingRequest request, CancellationToken cancel)
    {
        await records.CreateAsync(TrainingStarter.RecordOf(request, time.GetUtcNow()), cancel);
        return true;
    }
}
