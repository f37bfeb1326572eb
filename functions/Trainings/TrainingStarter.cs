using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Events;
using Sdxl.Core.Jobs;
using Sdxl.Core.Telemetry;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>The one door into the orchestration, for uploads and HTTP alike.</summary>
public sealed class TrainingStarter(RecordStore records, TimeProvider time, ILogger<TrainingStarter> log)
{
    /// <summary>Writes the record before there is an orchestration: whoever asks with the answer's id finds it.</summary>
    /// <param name="root">Where the caller reaches the service.</param>
    public async Task<TrainingRecord> RecordAsync(TrainingRequest request, string root, WebhookRequest? webhook, CancellationToken cancel)
    {
        var record = RecordOf(request, time.GetUtcNow()) with { Root = root, Webhook = webhook };
        await records.CreateAsync(record, cancel);
        return await records.TrainingAsync(request.Key, cancel) ?? record;
    }

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

    internal static TrainingRecord RecordOf(TrainingRequest request, DateTimeOffset now) => new()
    {
        Id = request.Id,
        Owner = request.Owner,
        Name = request.Name,
        Base = request.Base,
        Source = request.Source,
        Status = JobStatus.Starting,
        Stage = TrainingStage.Queued,
        Input = JsonNode.Parse(request.GivenInputs)!.AsObject(),
        Data = request.Data,
        From = request.From,
        Archive = request.Data is null ? request.Archive : "",
        IsCheck = request.CheckOnly,
        CreatedAt = now,
    };
}
