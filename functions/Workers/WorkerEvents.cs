using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;

namespace Sdxl.Functions.Workers;

/// <summary>
/// What the GPU worker tells. Progress and log lines are written down beside the record (thousands of them would bloat the orchestration's
/// history); the event that ends a job wakes its orchestrator, which owns the record.
/// </summary>
public sealed class WorkerEvents(BlobStore blobs, PredictionProgress predictions, TimeProvider time, ILogger<WorkerEvents> log)
{
    [Function(nameof(WorkerEvents))]
    public async Task Run(
        [ServiceBusTrigger(Queues.WorkerEvents, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        CancellationToken cancel)
    {
        var happened = SdxlJson.Deserialize<WorkerEvent>(body);
        switch (happened)
        {
            case JobStarted started:
                var resumed = started.ResumedAtStep > 0
                    ? string.Create(CultureInfo.InvariantCulture, $", going on from the checkpoint at step {started.ResumedAtStep}")
                    : "";
                await Lines([$"Training on {started.Device}{resumed}."]);
                await Progress(new JobProgress(started.Attempt, started.ResumedAtStep, started.TotalSteps, null, null, null, started.At,
                    started.Device), cancel);
                break;
            case JobProgressed p:
                await Progress(new JobProgress(p.Attempt, p.Step, p.TotalSteps, p.Loss, p.StepsPerSecond, p.SecondsLeft, p.At, p.Device),
                    cancel);
                break;
            case JobLogged logged:
                await Lines(logged.Lines);
                break;
            default:
                if (!await predictions.TakeAsync(happened, cancel))
                    await Wake(client, happened, body, cancel);
                break;
        }

        Task Lines(IReadOnlyList<string> lines) =>
            blobs.AppendLinesAsync(StorageLayout.Jobs, StorageLayout.Log(happened.Job), lines, cancel);

        async Task Progress(JobProgress progress, CancellationToken cancel)
        {
            // Messages may overtake each other: the later word stays.
            var known = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(happened.Job), cancel))?.Value;
            if (known is null || (progress.Attempt, progress.At).CompareTo((known.Attempt, known.At)) > 0)
                await blobs.WriteAsync(StorageLayout.Jobs, StorageLayout.Progress(happened.Job), progress, cancel: cancel);
        }
    }

    /// <summary>A job that no worker survived: its message ended in the dead-letter queue, so its training fails with that
    /// sentence.</summary>
    [Function("DeadTrainings")]
    public Task DeadTraining(
        [ServiceBusTrigger(Queues.DeadTrainings, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context) => Bury(client, DeadLetter.Of(context), context.CancellationToken);

    /// <inheritdoc cref="DeadTraining"/>
    [Function("DeadPredictions")]
    public Task DeadPrediction(
        [ServiceBusTrigger(Queues.DeadPredictions, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client,
        FunctionContext context) => Bury(client, DeadLetter.Of(context), context.CancellationToken);

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
        var why = letter.Reason == DeadLetterReasons.Unreadable
            ? $"The GPU worker could not read the job ({letter.Description}). "
                + "Worker and functions are of different versions; deploy both alike."
            : "Every worker that took this job died on it, so it was given up. The usual cause is memory: lower train_batch_size or "
                + "resolution, or turn on gradient_checkpointing.";
        WorkerEvent failed = new JobFailed(new JobKey(owner, id), 1, time.GetUtcNow(), why);
        if (!await predictions.TakeAsync(failed, cancel))
            await Wake(client, failed, SdxlJson.Serialize(failed), cancel);
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
