using System.Diagnostics;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Telemetry;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Trainings;

/// <summary>The one door into the orchestration, for uploads and HTTP alike.</summary>
public sealed class TrainingStarter(ILogger<TrainingStarter> log)
{
    /// <returns>false if a training with this id exists already.</returns>
    public async Task<bool> StartAsync(DurableTaskClient client, TrainingRequest request, CancellationToken cancel)
    {
        if (await client.GetInstanceAsync(request.Id, cancel) is not null)
            return false;
        Activity.Current?.SetTag(SdxlTelemetry.JobId, request.Id);
        await client.ScheduleNewOrchestrationInstanceAsync(
            nameof(TrainingOrchestrator), request, new StartOrchestrationOptions(InstanceId: request.Id), cancel);
        log.TrainingStarted(request.Id, request.Archive, request.Source);
        return true;
    }
}
