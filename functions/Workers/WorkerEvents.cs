using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Trainings;

namespace Sdxl.Functions.Workers;

/// <summary>
/// What the GPU worker tells: the event that ends a job wakes its orchestrator, which owns the record. How far a job is the worker writes
/// down itself.
/// </summary>
/// <remarks>
/// An event cannot get lost: an outage is waited out here, with pauses; what failed too often is read from the dead-letter queue; and the
/// orchestrator looks every few minutes for the end that the worker wrote down before it sent the event.
/// </remarks>
public sealed class WorkerEvents(
    JobEnds ends,
    PredictionProgress predictions,
    Outages outages,
    TimeProvider time,
    ILogger<WorkerEvents> log
)
{
    [Function(nameof(WorkerEvents))]
    public Task Run(
        [ServiceBusTrigger(Queues.WorkerEvents, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel
    ) => outages.WaitOutAsync(() => HandleAsync(client, SdxlJson.Deserialize<WorkerEvent>(body), cancel), cancel);

    /// <summary>
    /// Events that could not be handled as often as the queue delivers them: storage was away for long, so once more, and for as long as it
    /// takes.
    /// </summary>
    [Function("DeadWorkerEvents")]
    public Task DeadEvent(
        [ServiceBusTrigger(Queues.DeadWorkerEvents, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context)
    {
        WorkerEvent happened;
        try
        {
            happened = SdxlJson.Deserialize<WorkerEvent>(body);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or NotSupportedException)
        {
            // Nobody will ever read it, and a dead-letter queue has no delivery limit.
            log.EventUnreadable(DeadLetter.Of(context).MessageId, e.Message);
            return Task.CompletedTask;
        }
        return outages.WaitOutAsync(() => HandleAsync(client, happened, context.CancellationToken), context.CancellationToken);
    }

    /// <summary>A job that no worker survived: its message ended in the dead-letter queue, so its training fails with that
    /// sentence.</summary>
    [Function("DeadTrainings")]
    public Task DeadTraining(
        [ServiceBusTrigger(Queues.DeadTrainings, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context
    ) => outages.WaitOutAsync(() => Bury(client, DeadLetter.Of(context), context.CancellationToken), context.CancellationToken);

    /// <inheritdoc cref="DeadTraining"/>
    [Function("DeadPredictions")]
    public Task DeadPrediction(
        [ServiceBusTrigger(Queues.DeadPredictions, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context
    ) => outages.WaitOutAsync(() => Bury(client, DeadLetter.Of(context), context.CancellationToken), context.CancellationToken);

    private async Task HandleAsync(DurableTaskClient client, WorkerEvent happened, CancellationToken cancel)
    {
        if (!await predictions.TakeAsync(happened, cancel))
            await Wake(client, happened, cancel);
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
        await HandleAsync(client, await ends.OfAsync(key, cancel) ?? new JobFailed(key, 1, time.GetUtcNow(), why), cancel);
    }

    private async Task Wake(DurableTaskClient client, WorkerEvent happened, CancellationToken cancel)
    {
        var instance = await client.GetInstanceAsync(happened.Job.Id, cancel);
        if (instance is null || instance.IsCompleted)
        {
            log.EventForNobody(happened.Job.Id, happened.GetType().Name);
            return;
        }
        await client.RaiseEventAsync(happened.Job.Id, WorkerEvent.OrchestratorEvent, SdxlJson.Serialize(happened), cancel);
    }
}
