using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;
using Sdxl.Core.Telemetry;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>The one door into the orchestration, for uploads and HTTP alike.</summary>
public sealed class TrainingStarter(
    RecordStore records, BlobStore blobs, IOptions<SdxlOptions> options, TimeProvider time, ILogger<TrainingStarter> log)
{
    /// <summary>
    /// Writes the record before there is an orchestration: whoever asks with the answer's id finds it. The same write holds a message for
    /// later, so that a training whose process dies before it starts one is started then.
    /// </summary>
    /// <param name="root">Where the caller reaches the service.</param>
    public async Task<TrainingRecord> RecordAsync(TrainingRequest request, string root, WebhookRequest? webhook, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var record = RecordOf(request, now) with
        {
            Root = root,
            Webhook = webhook,
            Outbox =
            [
                OutboxMessage.Of<EventMessage>(
                    Queues.Events, $"start/{request.Key}", new TrainingDue(request.Key),
                    now.AddSeconds(options.Value.HeartbeatCheckSeconds)),
            ],
        };
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

    /// <summary>Starts a training that has a record and nothing that works on it. One that has begun, or is over, is left alone.</summary>
    public async Task StartLostAsync(DurableTaskClient client, JobKey key, CancellationToken cancel)
    {
        if (await records.TrainingAsync(key, cancel) is not { Status: JobStatus.Starting, Stage: TrainingStage.Queued } record)
            return;
        if (await StartAsync(client, RequestOf(record), cancel))
            log.LostTrainingStarted(record.Id);
    }

    /// <summary>Asks the orchestration to end. Where none has been started the training ends here, and none is.</summary>
    public async Task CancelAsync(DurableTaskClient client, JobKey key, CancellationToken cancel)
    {
        if (await client.GetInstanceAsync(key.Id, cancel) is not null)
        {
            await client.RaiseEventAsync(key.Id, JobOrchestration.CancelEvent, "canceled over HTTP", cancel);
            return;
        }
        // Its request may be about to start one at this moment: that finds the mark before a worker trains.
        await blobs.WriteBytesAsync(StorageLayout.Jobs, StorageLayout.CancelMark(key), [], "text/plain", cancel);
        await records.ChangeTrainingAsync(key, r => r.With(JobStatus.Canceled, r.Stage, time.GetUtcNow()), cancel);
    }

    /// <summary>What a record that nothing has worked on was made of.</summary>
    private static TrainingRequest RequestOf(TrainingRecord record) => new(
        record.Id, record.Owner, record.Name, record.Base, record.Archive, record.Input.ToJsonString(), record.Source, record.IsCheck,
        Data: record.Data, From: record.From);

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
