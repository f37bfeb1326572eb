using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Trainings.Activities;

namespace Sdxl.Functions.Trainings;

/// <summary>Custom status of a running training; far below the 16 KB that the durable backends allow.</summary>
/// <param name="Done">Parts of the stage that are done (pictures prepared).</param>
/// <param name="Total">Parts in all; 0 where the stage has none.</param>
public sealed record TrainingStatusNote(TrainingStage Stage, int Done, int Total);

/// <summary>
/// One training, from the archive to the published version. The instance id is the training id; deterministic and replayable:
/// no clock, no random number, no storage in here, only activities.
/// </summary>
public static class TrainingOrchestrator
{
    private const int WorkerStopSeconds = 7; // the user reads "canceled" within ten, whatever the worker does

    [Function(nameof(TrainingOrchestrator))]
    public static async Task Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<TrainingRequest>()!;
        var log = context.CreateReplaySafeLogger(nameof(TrainingOrchestrator));
        var cancel = context.WaitForExternalEvent<string>(JobOrchestration.CancelEvent);
        var workerAnswer = context.WaitForExternalEvent<string>(WorkerEvent.OrchestratorEvent);
        var dispatched = false;
        try
        {
            await Call<bool>(nameof(StartTraining), request);

            // 1 unpack the archive, settle the inputs
            await Enter(TrainingStage.Unpack);
            var unpacked = await OrCancel(Call<UnpackedArchive>(nameof(UnpackArchive), request));

            // 2 fan out: one activity a picture
            await Enter(TrainingStage.Prepare, unpacked.Pictures);
            await OrCancel(PrepareAll(unpacked.Pictures, unpacked.AtOnce));

            // 3 fan in: manifest and report; refuses when no picture is left
            await Enter(TrainingStage.Manifest);
            await OrCancel(Call<int>(nameof(WriteDataset), request.Key));
            if (request.CheckOnly)
            {
                await Call<bool>(nameof(FinishTraining), new TrainingEnd(request.Key, JobStatus.Succeeded, null));
                return;
            }

            // 4 hand the job to a GPU worker
            await Enter(TrainingStage.Train);
            var job = new TrainingJob(request.Key, 1, request.Base, $"{request.Owner}/{request.Name}", unpacked.Inputs, request.From);
            dispatched = true;
            var checkSeconds = await Call<int>(nameof(DispatchTraining), job);

            // 5 wait for its completion event
            var finished = await WaitForWorker(checkSeconds);

            // 6 publish: verify hashes, copy, make the version visible
            await Enter(TrainingStage.Publish);
            if (await Publish(new(request, unpacked.Inputs, finished.Place, finished.Files, finished.HeldOut)) is null)
                throw new TrainingCanceledException();
            context.SetCustomStatus(new TrainingStatusNote(TrainingStage.Done, 0, 0));
        }
        catch (TrainingCanceledException)
        {
            log.TrainingCanceled(request.Id);
            await StopWork();
            await Call<bool>(nameof(FinishTraining), new TrainingEnd(request.Key, JobStatus.Canceled, null));
        }
        catch (TaskFailedException e)
        {
            log.TrainingFailed(request.Id, e.FailureDetails.ErrorMessage);
            await Call<bool>(nameof(MarkCanceled), request.Key);
            await Call<bool>(nameof(FinishTraining), new TrainingEnd(request.Key, JobStatus.Failed, JobOrchestration.Sentence(e)));
        }
        catch (WorkerFailedException e)
        {
            log.TrainingFailed(request.Id, e.Message);
            await Call<bool>(nameof(MarkCanceled), request.Key);
            await Call<bool>(nameof(FinishTraining), new TrainingEnd(request.Key, JobStatus.Failed, e.Message));
        }

        Task<T> Call<T>(string activity, object input) => context.CallActivityAsync<T>(activity, input, JobOrchestration.Retrying);

        async Task Enter(TrainingStage stage, int parts = 0)
        {
            context.SetCustomStatus(new TrainingStatusNote(stage, 0, parts));
            await OrCancel(Call<bool>(nameof(EnterStage), new StageEntry(request.Key, stage)));
        }

        async Task<T> OrCancel<T>(Task<T> work) =>
            await Task.WhenAny(work, cancel) == cancel ? throw new TrainingCanceledException() : await work;

        // A window of activities: a training of a thousand pictures leaves room for those of others between its own.
        async Task<bool> PrepareAll(int pictures, int atOnce)
        {
            var (done, next) = (0, 0);
            await Task.WhenAll(Enumerable.Range(0, Math.Min(atOnce, pictures)).Select(_ => PrepareOneByOne()));
            return true;

            async Task PrepareOneByOne()
            {
                while (next < pictures)
                {
                    await Call<bool>(nameof(PreparePicture), new PictureToPrepare(request.Key, next++));
                    context.SetCustomStatus(new TrainingStatusNote(TrainingStage.Prepare, ++done, pictures));
                }
            }
        }

        // The worker's word, or, where that got lost, what it has written down.
        async Task<TrainingCompleted> WaitForWorker(int checkSeconds)
        {
            string? answer = null;
            while (answer is null)
            {
                using var stopTimer = new CancellationTokenSource();
                var timer = context.CreateTimer(context.CurrentUtcDateTime.AddSeconds(checkSeconds), stopTimer.Token);
                var first = await Task.WhenAny(workerAnswer, cancel, timer);
                stopTimer.Cancel(); // Not CancelAsync: an orchestrator awaits durable tasks only.
                if (first == cancel)
                    throw new TrainingCanceledException();
                answer = first == timer ? await Call<string?>(nameof(CheckHeartbeat), request.Key) : await workerAnswer;
            }
            return SdxlJson.Deserialize<WorkerEvent>(answer) switch
            {
                TrainingCompleted completed => completed,
                JobFailed failed => throw new WorkerFailedException(failed.Error),
                JobCanceled => throw new TrainingCanceledException(),
                var other => throw new WorkerFailedException($"The worker answered a training with '{other.GetType().Name}'."),
            };
        }

        // Whole or not at all: a cancel leaves its mark, the activity finds it until the version becomes visible, and its word is the last.
        async Task<string?> Publish(PublishRequest publish)
        {
            var publishing = Call<string?>(nameof(PublishVersion), publish);
            if (await Task.WhenAny((Task)publishing, cancel) == cancel)
                await Call<bool>(nameof(MarkCanceled), request.Key);
            return await publishing;
        }

        // Asks the worker to stop and gives it a moment to say so; a job that no worker has begun needs no waiting.
        async Task StopWork()
        {
            if (!await Call<bool>(nameof(MarkCanceled), request.Key) || !dispatched)
                return;
            using var stopTimer = new CancellationTokenSource();
            await Task.WhenAny(workerAnswer, context.CreateTimer(
                context.CurrentUtcDateTime.AddSeconds(WorkerStopSeconds), stopTimer.Token));
            stopTimer.Cancel(); // Not CancelAsync: an orchestrator awaits durable tasks only.
        }
    }
}

internal sealed class TrainingCanceledException : Exception;

internal sealed class WorkerFailedException(string message) : Exception(message);
