using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;

namespace Sdxl.Functions.Workers;

/// <summary>
/// What the GPU worker tells: the event that ends a job wakes its orchestrator, which owns the record. How far a job is the worker writes down itself.
/// </summary>
/// <remarks>
/// An event cannot get lost: an outage is waited out here, with pauses; what failed too often is read from the dead-letter queue; and the orchestrator
/// looks every few minutes for the end that the worker wrote down before it sent the event.
/// </remarks>
public sealed class WorkerEvents(BlobStore blobs, JobEnds ends, Outages outages, TimeProvider time, ILogger<WorkerEvents> log)
{
    [Function(nameof(WorkerEvents))]
    public Task Run(
        [ServiceBusTrigger(Queues.WorkerEvents, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel) => outages.WaitOutAsync(() => HandleAsync(client, body, cancel), cancel);

    /// <summary>Events that could not be handled as often as the queue delivers them: storage was away for long, so once more, and for as long as it takes.</summary>
    [Function("DeadWorkerEvents")]
    public Task DeadEvent(
        [ServiceBusTrigger(Queues.DeadWorkerEvents, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context)
    {
        try
        {
            SdxlJson.Deserialize<WorkerEvent>(body);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NotSupportedException)
        {
            // Nobody will ever read it, and a dead-letter queue has no delivery limit.
            log.EventUnreadable(DeadLetter.Of(context).MessageId, e.Message);
            return Task.CompletedTask;
        }
        return outages.WaitOutAsync(() => HandleAsync(client, body, context.CancellationToken), context.CancellationToken);
    }

    /// <summary>A job that no worker survived: its message ended in the dead-letter queue, so its training fails with that
    /// sentence.</summary>
    [Function("DeadTrainings")]
    public Task DeadTraining(
        [ServiceBusTrigger(Queues.DeadTrainings, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context) => outages.WaitOutAsync(() => Bury(client, DeadLetter.Of(context), context.CancellationToken), context.CancellationToken);

    /// <inheritdoc cref="DeadTraining"/>
    [Function("DeadPredictions")]
    public Task DeadPrediction(
        [ServiceBusTrigger(Queues.DeadPredictions, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context) => outages.WaitOutAsync(() => Bury(client, DeadLetter.Of(context), context.CancellationToken), context.CancellationToken);

    private async Task HandleAsync(DurableTaskClient client, string body, CancellationToken cancel)
    {
        var happened = SdxlJson.Deserialize<WorkerEvent>(body);
        if (happened is not JobProgressed p)
        {
            await Wake(client, happened, body, cancel);
            return;
        }
        // A prediction's. Messages may overtake each other: the later word stays.
        var progress = new JobProgress(p.Attempt, p.Step, p.TotalSteps, p.Loss, p.StepsPerSecond, p.SecondsLeft, p.At, p.Device);
        var known = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(happened.Job), cancel))?.Value;
        if (known is null || (progress.Attempt, progress.At).CompareTo((known.Attempt, known.At)) > 0)
            await blobs.WriteAsync(StorageLayout.Jobs, StorageLayout.Progress(happened.Job), progress, cancel: cancel);
    }

    /// <remarks>Never throws for what the message holds: a dead-letter queue has no delivery limit, it would come for ever. The message id
    /// begins with the job's key.</remarks>
    private async Task Bury(DurableTaskClient client, DeadLetter letter, CancellationToken cancel)
    {
        // owner/id, for a training followed by the attempt.
        if (letter.MessageId.Split('/') is not [var owner, var id, ..] || !JobId.IsValid(id))
        {
            log.EventForNobody(letter.MessageId, nameof(DeadLetter));
            return;
        }
        var key = new JobKey(owner, id);
        var why = letter.Reason == DeadLetterReasons.Unreadable
            ? $"The GPU worker could not read the job ({letter.Description}). "
                + "Worker and functions are of different versions; deploy both alike."
            : "Every worker that took this job died on it, so it was given up. The usual cause is memory: lower train_batch_size or "
                + "resolution, or turn on gradient_checkpointing.";
        // A worker may have done it all and died before it could say so.
        var end = await ends.OfTrainingAsync(key, cancel) ?? new JobFailed(key, 1, time.GetUtcNow(), why);
        await Wake(client, end, SdxlJson.Serialize(end), cancel);
    }

    private async Task Wake(DurableTaskClient client, WorkerEvent happened, string body, CancellationToken cancel)
    {
        var instance = await client.GetInstanceAsync(happened.Job.Id, cancel);
        if (instance is null || instance.IsCompleted)
        {
            log.EventForNobody(happened.Job.Id, happened.GetType().Name);
            return;
        }
        await client.RaiseEventAsync(happened.Job.Id, WorkerEvent.OrchestratorEvent, body, cancel);
    }
}
