using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Predictions.Activities;

namespace Sdxl.Functions.Predictions;

/// <summary>One prediction: record, dispatch to a GPU worker, wait for its answer, record. The instance id is the prediction id.</summary>
public static class PredictionOrchestrator
{
    private const int MaxHours = 24;

    [Function(nameof(PredictionOrchestrator))]
    public static async Task Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<PredictionRequest>()!;
        var cancel = context.WaitForExternalEvent<string>(JobOrchestration.CancelEvent);
        var answer = context.WaitForExternalEvent<string>(WorkerEvent.OrchestratorEvent);
        PredictionEnd end;
        try
        {
            await Call(nameof(StartPrediction), request);
            await Call(nameof(DispatchPrediction), new PredictionJob(request.Key, request.Base, request.Weights, request.Inputs));
            using var stopTimer = new CancellationTokenSource();
            var first = await Task.WhenAny(answer, cancel,
                context.CreateTimer(context.CurrentUtcDateTime.AddHours(MaxHours), stopTimer.Token));
            stopTimer.Cancel(); // Not CancelAsync: an orchestrator awaits durable tasks only.
            if (first == answer)
            {
                end = SdxlJson.Deserialize<WorkerEvent>(await answer) switch
                {
                    PredictionCompleted done => new PredictionEnd(
                        request.Key, JobStatus.Succeeded, null, done.Pictures, done.PredictSeconds, done.Warnings),
                    JobFailed failed => new PredictionEnd(request.Key, JobStatus.Failed, failed.Error, [], null),
                    _ => new PredictionEnd(request.Key, JobStatus.Canceled, null, [], null),
                };
            }
            else
            {
                // The worker finds the mark before it draws the next picture.
                await Call(nameof(MarkCanceled), request.Key);
                end = first == cancel
                    ? new PredictionEnd(request.Key, JobStatus.Canceled, null, [], null)
                    : new PredictionEnd(request.Key, JobStatus.Failed,
                        $"No GPU worker has drawn this within {MaxHours} hours. "
                            + "Check that a worker runs and reads the queue, then try again.",
                        [], null);
            }
        }
        catch (TaskFailedException e)
        {
            end = new PredictionEnd(request.Key, JobStatus.Failed, JobOrchestration.Sentence(e), [], null);
        }
        await Call(nameof(FinishPrediction), end);

        Task<bool> Call(string activity, object input) => context.CallActivityAsync<bool>(activity, input, JobOrchestration.Retrying);
    }
}
