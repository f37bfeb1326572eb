using System.Text.Json.Nodes;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Makes the training's record. Doing it twice changes nothing.</summary>
public sealed class StartTraining(RecordStore records, TimeProvider time)
{
    [Function(nameof(StartTraining))]
    public async Task<bool> Run([ActivityTrigger] TrainingRequest request, CancellationToken cancel)
    {
        await records.CreateAsync(
            new TrainingRecord
            {
                Id = request.Id,
                Owner = request.Owner,
                Name = request.Name,
                Base = request.Base,
                Source = request.Source,
                Status = JobStatus.Starting,
                Stage = TrainingStage.Queued,
                Input = JsonNode.Parse(request.GivenInputs)!.AsObject(),
                IsCheck = request.CheckOnly,
                CreatedAt = time.GetUtcNow(),
            },
            cancel);
        return true;
    }
}
