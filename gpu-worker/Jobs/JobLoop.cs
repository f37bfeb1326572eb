using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Messages;
using Sdxl.Diffusion.Nets;
using Sdxl.GpuWorker.Hosting;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Takes one job at a time, predictions before trainings (a person waits for a picture). While a training runs, predictions are let in
/// between its steps, unless the settings say otherwise.
/// </summary>
public sealed class JobLoop(
    ServiceBusClient client,
    TrainingHandler trainings,
    PredictionHandler predictions,
    Deliveries deliveries,
    StepGate gate,
    WorkerHealth health,
    Retirement retirement,
    WorkerDevice device,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<JobLoop> log
) : BackgroundService
{
    /// <summary>An empty queue of trainings is waited on only so long: a person waits for a picture meanwhile.</summary>
    private static readonly TimeSpan TrainingWait = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private readonly JobKind<TrainingJob> _trainings = JobKinds.Trainings(trainings);
    private readonly JobKind<PredictionJob> _predictions = JobKinds.Predictions(predictions);

    private TimeSpan Wait => TimeSpan.FromSeconds(options.Value.ReceiveWaitSeconds);

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await Task.Yield(); // Start-up goes on while the first job is waited for.
        if (device.Convolutions == ConvolutionPath.PaddedChannels)
            log.PadsChannels(device.Name);
        log.Ready(device.Name);
        await using var predictionQueue = client.CreateReceiver(Queues.Predictions);
        await using var trainingQueue = client.CreateReceiver(Queues.Trainings);
        await RepeatAsync(
            async () =>
            {
                if (await predictionQueue.ReceiveMessageAsync(Wait, stop) is { } prediction)
                    await deliveries.HandleAsync(_predictions, predictionQueue, prediction, stop);
                else if (await trainingQueue.ReceiveMessageAsync(TrainingWait, stop) is { } training)
                    await TrainAsync(trainingQueue, training, predictionQueue, stop);
            },
            stop, retirement.IsDue);
    }

    private async Task TrainAsync(
        ServiceBusReceiver queue,
        ServiceBusReceivedMessage message,
        ServiceBusReceiver predictionQueue,
        CancellationToken stop
    )
    {
        if (!options.Value.PredictWhileTraining)
        {
            await deliveries.HandleAsync(_trainings, queue, message, stop);
            return;
        }
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var drawing = RepeatAsync(() => DrawBetweenStepsAsync(predictionQueue, stop), over.Token);
        try
        {
            await deliveries.HandleAsync(_trainings, queue, message, stop);
        }
        finally
        {
            await over.CancelAsync();
            await drawing; // a picture that is being drawn is finished first
        }
    }

    /// <summary>Waits for a prediction, lets the training stand still, and draws.</summary>
    private async Task DrawBetweenStepsAsync(ServiceBusReceiver queue, CancellationToken stop)
    {
        // Waited for to its end, not given up with the training: a message that comes at that moment would stay locked to nobody.
        if (await queue.ReceiveMessageAsync(Wait, stop) is not { } message)
            return;
        // The lock of the message is renewed while the step is waited for: a step of a large training may take longer than the lock.
        await deliveries.HandleAsync(_predictions, queue, message, stop, inside: async work =>
        {
            using var entered = await gate.EnterAsync(stop);
            try
            {
                return await work();
            }
            finally
            {
                if (gate.IsTraining)
                    predictions.Unload(); // The training gets the device's memory back.
            }
        });
    }

    /// <summary>
    /// Whatever happens (queue away, a lock lost, a fault nobody thought of): the worker stays, the message comes again. Unless the worker
    /// itself is ill.
    /// </summary>
    private async Task RepeatAsync(Func<Task> turn, CancellationToken stop, Func<bool>? isEnough = null)
    {
        for (var pause = FirstPause; !stop.IsCancellationRequested && !health.IsLeaving && isEnough?.Invoke() != true;)
        {
            try
            {
                await turn();
                pause = FirstPause;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                log.Unreachable(e, pause.TotalSeconds);
                await Task.Delay(pause, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }
}
