using System.Diagnostics;
using System.Text.Json;
using Azure;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Workers;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Nets;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;
using Sdxl.GpuWorker.Telemetry;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>How a handler's work ended.</summary>
public enum JobEnd
{
    /// <summary>The job is done; its terminal event is sent.</summary>
    Finished,

    /// <summary>Stopped at a checkpoint because the worker stops or lost the lock; another worker goes on.</summary>
    Interrupted,
}

/// <summary>
/// Takes one job at a time, predictions before trainings (a person waits for a picture). A message stays locked while its job runs and the
/// lock is renewed; it is completed only after the terminal event is sent, so a job is never lost, and a worker that dies leaves it to the next.
/// </summary>
public sealed class JobLoop(
    ServiceBusClient client, TrainingHandler trainings, PredictionHandler predictions, EventSender events, JobBlobs blobs,
    WorkerDevice device, WorkerBeacon beacon, Retirement retirement, JobTelemetry telemetry, IOptions<WorkerOptions> options, TimeProvider time, ILogger<JobLoop> log) : BackgroundService
{
    private const double RetrySeconds = 5;

    /// <summary>An empty queue of trainings is waited on only so long: a person waits for a picture meanwhile.</summary>
    private static readonly TimeSpan TrainingWait = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await Task.Yield(); // Start-up goes on while the first job is waited for.
        if (device.Convolutions == ConvolutionPath.PaddedChannels)
            log.PadsChannels(device.Name);
        log.Ready(device.Name);
        await using var predictionQueue = client.CreateReceiver(Queues.Predictions);
        await using var trainingQueue = client.CreateReceiver(Queues.Trainings);
        var wait = TimeSpan.FromSeconds(options.Value.ReceiveWaitSeconds);
        while (!stop.IsCancellationRequested && !retirement.IsDue())
        {
            try
            {
                if (await predictionQueue.ReceiveMessageAsync(wait, stop) is { } prediction)
                    await HandleAsync<PredictionJob>(predictionQueue, prediction, j => (j.Prediction, 1), predictions.RunAsync, stop);
                else if (await trainingQueue.ReceiveMessageAsync(TrainingWait, stop) is { } training)
                    await HandleAsync<TrainingJob>(trainingQueue, training, j => (j.Training, j.Attempt), trainings.RunAsync, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                // Whatever it is (queue away, a lock lost, a fault nobody thought of): the worker stays, the message comes again.
                log.Unreachable(e, RetrySeconds);
                await Task.Delay(TimeSpan.FromSeconds(RetrySeconds), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task HandleAsync<T>(
        ServiceBusReceiver queue, ServiceBusReceivedMessage message, Func<T, (JobKey Key, int Attempt)> identify,
        Func<T, CancellationToken, CancellationToken, Task<JobEnd>> run, CancellationToken stop)
    {
        T job;
        try
        {
            job = SdxlJson.Deserialize<T>(message.Body.ToString());
        }
        catch (JsonException e)
        {
            log.Unreadable(e, message.MessageId, queue.EntityPath);
            await queue.DeadLetterMessageAsync(message, DeadLetterReasons.Unreadable, e.Message, CancellationToken.None);
            retirement.JobEnded();
            return;
        }
        var (key, attempt) = identify(job);
        var id = key.Id;
        using var measured = telemetry.Begin(queue.EntityPath, message, id);
        log.Taken(id, queue.EntityPath, message.DeliveryCount);
        beacon.Say($"{queue.EntityPath.TrimEnd('s')} {id}");
        var watch = Stopwatch.StartNew();
        // "interrupt" stops at a checkpoint, the job goes back to the queue; "canceled" ends it for good.
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var canceled = new CancellationTokenSource();
        using var over = new CancellationTokenSource();
        var guards = Task.WhenAll(RenewLockAsync(queue, message, id, interrupt, over.Token), WatchForCancelAsync(key, canceled, over.Token));
        try
        {
            switch (await EndOf(job))
            {
                case null:
                    log.GivenBack(id);
                    await queue.AbandonMessageAsync(message, cancellationToken: CancellationToken.None);
                    break;
                case var terminal:
                    if (terminal is JobCanceled or JobFailed)
                        await events.SendAsync(terminal, CancellationToken.None);
                    await queue.CompleteMessageAsync(message, CancellationToken.None);
                    trainings.CleanUp(id);
                    log.Done(id, watch.Elapsed.TotalSeconds);
                    break;
            }
        }
        catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.MessageLockLost)
        {
            log.LockLost(e, id);
        }
        finally
        {
            await over.CancelAsync();
            await guards;
            beacon.Say(WorkerStatus.Idle);
            retirement.JobEnded();
        }

        // null: interrupted. The completion events are sent by the handlers, which know what was made.
        async Task<WorkerEvent?> EndOf(T job)
        {
            try
            {
                var end = await run(job, interrupt.Token, canceled.Token);
                return end == JobEnd.Interrupted ? null : new JobLogged(key, attempt, time.GetUtcNow(), []);
            }
            catch (OperationCanceledException) when (canceled.IsCancellationRequested)
            {
                log.Canceled(id);
                return new JobCanceled(key, attempt, time.GetUtcNow());
            }
            catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
            {
                return null;
            }
            catch (Exception e) when (IsPassing(e))
            {
                // Storage, network or disk were away: the job is whole, its last checkpoint too. After a pause the next delivery goes on;
                // the queue's delivery count bounds how often.
                log.Unreachable(e, RetrySeconds);
                await Task.Delay(TimeSpan.FromSeconds(RetrySeconds), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return null;
            }
            catch (Exception e)
            {
                log.Failed(e, id);
                return new JobFailed(key, attempt, time.GetUtcNow(), e.Message);
            }
        }
    }

    /// <summary>Faults of the surroundings, not of the job. The storage client gives an AggregateException once its own retries are used up.</summary>
    private static bool IsPassing(Exception e) => e switch
    {
        AggregateException all => all.InnerExceptions.All(IsPassing),
        FileNotFoundException or DirectoryNotFoundException or SafetensorsException => false,
        RequestFailedException or ServiceBusException or IOException or OperationCanceledException or AuthenticationFailedException or HttpRequestException => true,
        _ => false,
    };

    /// <summary>Renews the lock at half its time. Lost: someone else has the message, so this worker stops working on it.</summary>
    private async Task RenewLockAsync(ServiceBusReceiver queue, ServiceBusReceivedMessage message, string id, CancellationTokenSource interrupt, CancellationToken over)
    {
        try
        {
            while (true)
            {
                var left = message.LockedUntil - time.GetUtcNow();
                await Task.Delay(left > TimeSpan.FromSeconds(1) ? left / 2 : TimeSpan.FromMilliseconds(200), time, over);
                await queue.RenewMessageLockAsync(message, over);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // Lost, or no longer to be kept: the worker must not go on with what may be another's.
            log.LockLost(e, id);
            await interrupt.CancelAsync();
        }
    }

    private async Task WatchForCancelAsync(JobKey job, CancellationTokenSource canceled, CancellationToken over)
    {
        var pause = TimeSpan.FromSeconds(options.Value.CancelPollSeconds);
        while (!over.IsCancellationRequested)
        {
            try
            {
                if (await blobs.IsCanceledAsync(job, over))
                {
                    await canceled.CancelAsync();
                    return;
                }
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Storage is away for a moment: the mark is looked for again.
                log.Unreachable(e, pause.TotalSeconds);
            }
            await Task.Delay(pause, time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
