using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>Puts a training's view together from record, progress, log and, before there is a record, the orchestration itself.</summary>
public sealed class TrainingViews(BlobStore blobs, RecordStore records, Addresses addresses, Callers callers)
{
    /// <returns>null if there is no such training.</returns>
    public async Task<TrainingView?> GetAsync(string id, HttpRequest request, DurableTaskClient client, CancellationToken cancel)
    {
        if (callers.JobOf(request, id) is not { } key)
            return null;
        var instance = await client.GetInstanceAsync(id, getInputsAndOutputs: true, cancel);
        var record = await records.TrainingAsync(key, cancel) ?? (instance is null ? null : Queued(instance, key));
        if (record is null)
            return null;
        // An orchestration that itself broke (not the training: that is recorded) can write no record any more.
        if (!JobTransitions.IsTerminal(record.Status)
            && instance?.RuntimeStatus is OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated)
        {
            record = record with
            {
                Status = JobStatus.Failed,
                Error = $"The orchestration broke: {instance!.FailureDetails?.ErrorMessage ?? "it was terminated"}. "
                    + "Start the training again.",
                CompletedAt = instance.LastUpdatedAt,
            };
        }
        var note = instance?.SerializedCustomStatus is null ? null : instance.ReadCustomStatusAs<TrainingStatusNote>();
        var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(key), cancel))?.Value;
        var plan = record.Stage > TrainingStage.Unpack && note is { Stage: TrainingStage.Prepare } ? note : null;
        return View(record, request) with
        {
            Logs = await blobs.ReadTextAsync(StorageLayout.Jobs, StorageLayout.Log(key), cancel) ?? "",
            Progress = progress is null && plan is null
                ? null
                : new ProgressView(
                    plan?.Done ?? 0, plan?.Total ?? 0, progress?.Step ?? 0, progress?.TotalSteps ?? 0,
                    progress?.Loss, progress?.StepsPerSecond, progress?.SecondsLeft, progress?.Device),
        };
    }

    /// <summary>A row of the list: without log and progress.</summary>
    public TrainingView View(TrainingRecord record, HttpRequest request)
    {
        var urls = new Dictionary<string, string>
        {
            ["get"] = addresses.Of(request, $"api/trainings/{record.Id}"),
            ["cancel"] = addresses.Of(request, $"api/trainings/{record.Id}/cancel"),
        };
        if (record.HasReport)
            urls["report"] = addresses.Of(request, $"api/trainings/{record.Id}/report");
        if (record.Output is not null)
            urls["metrics"] = addresses.Of(request, $"api/trainings/{record.Id}/metrics");
        var files = record.Output?.Files.ToDictionary(
            name => name,
            name => addresses.Of(
                request, $"api/models/{record.Owner}/{record.Name}/versions/{record.Output.Version}/{Uri.EscapeDataString(name)}"));
        return new TrainingView
        {
            Id = record.Id,
            Model = $"{record.Owner}/{record.Name}",
            Base = record.Base,
            Status = record.Status,
            Stage = record.Stage,
            Input = record.Input,
            Output = record.Output is null
                ? null
                : new OutputView(
                    $"{record.Owner}/{record.Name}:{record.Output.Version}", files!.GetValueOrDefault("trained_model.tar"), files!),
            Error = record.Error,
            Warnings = record.Warnings,
            Logs = "",
            CreatedAt = record.CreatedAt,
            StartedAt = record.StartedAt,
            CompletedAt = record.CompletedAt,
            Urls = urls,
        };
    }

    private static TrainingRecord? Queued(OrchestrationMetadata instance, JobKey key)
    {
        // Ids of predictions are in the same space; their input is another record.
        if (instance.Name != nameof(TrainingOrchestrator) || instance.ReadInputAs<TrainingRequest>() is not { } request
            || request.Key != key)
            return null;
        return new TrainingRecord
        {
            Id = request.Id,
            Owner = request.Owner,
            Name = request.Name,
            Base = request.Base,
            Source = request.Source,
            Status = JobStatus.Starting,
            Stage = TrainingStage.Queued,
            Input = JsonNode.Parse(request.GivenInputs)!.AsObject(),
            CreatedAt = instance.CreatedAt,
        };
    }
}
