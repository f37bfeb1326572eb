using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Faults;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Telemetry;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;
using Sdxl.GpuWorker.Telemetry;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// One delivery of a job's message, from the queue to its end. The order is what keeps jobs from being lost or done twice: a durable end is
/// looked for first; the turn is taken; the work is done; its end is written once; the event is sent; only then is the message completed. A
/// death between any two of them is made up for by the next delivery.
/// </summary>
/// <remarks>
/// The queue counts deliveries, and gives a job up after so many: therefore only what may be the job's own fault is counted (a worker that
/// died, a device that broke). Outages are waited out in place with the lock renewed; a worker that stops sends the next attempt and
/// completes its own message.
/// </remarks>
public sealed class Deliveries(
    ServiceBusClient client,
    EventSender events,
    JobResults results,
    JobTurns turns,
    JobBlobs blobs,
    Patience patience,
    WorkerHealth health,
    WorkerScratch scratch,
    WorkerBeacon beacon,
    Retirement retirement,
    JobTelemetry telemetry,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<Deliveries> log
)
{
    /// <summary>Application property of a message that was sent again: how often.</summary>
    private const string SentAgain = "sent-again";

    /// <param name="inside">Does the work inside something, such as a training that stands still.</param>
    public async Task HandleAsync<T>(
        JobKind<T> kind, ServiceBusReceiver queue, ServiceBusReceivedMessage message, CancellationToken stop,
        Func<Func<Task<WorkerEvent?>>, Task<WorkerEvent?>>? inside = null)
    {
        if (Read(kind, message, out var problem) is not { } job)
        {
            log.Unreadable(message.MessageId, queue.EntityPath, problem);
            await queue.DeadLetterMessageAsync(message, DeadLetterReasons.Unreadable, problem, CancellationToken.None);
            retirement.JobEnded();
            return;
        }
        var key = kind.Key(job);
        var watch = Stopwatch.StartNew();
        using var measured = telemetry.Begin(queue.EntityPath, message, key.Id);
        log.Taken(key.Id, queue.EntityPath, message.DeliveryCount);
        var before = beacon.Doing;
        beacon.Say($"{kind.Word} {key.Id}");
        await using var held = new MessageLock(queue, message, key.Id, time, log);
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(stop, held.Lost);
        try
        {
            var end = await patience.TryAsync(() => results.ReadAsync(kind.Result(key), interrupt.Token), interrupt.Token);
            if (end is null)
            {
                var turn = kind.TakesTurns
                    ? await patience.TryAsync(() => turns.TakeAsync(key, kind.Attempt(job), interrupt.Token), interrupt.Token)
                    : new JobTurns.Held(key, null);
                if (turn is null)
                {
                    log.LeftOver(key.Id, kind.Attempt(job));
                    await queue.CompleteMessageAsync(message, CancellationToken.None);
                    return;
                }
                await using var marks = new JobMarks(turn, turns, blobs, TimeSpan.FromSeconds(options.Value.CancelPollSeconds), time, log);
                using var leave = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Token, marks.Superseded);
                var signals = new JobSignals(leave.Token, marks.Canceled, marks.StopEarly, marks.Samples);
                Task<WorkerEvent?> Work() => EndOfAsync(kind, job, turn, signals);
                end = await (inside is null ? Work() : inside(Work));
                if (end is null)
                {
                    await GiveBackAsync(
                        kind,
                        queue,
                        message,
                        job,
                        isOthers: marks.Superseded.IsCancellationRequested || held.Lost.IsCancellationRequested
                    );
                    return;
                }
                FaultPoints.Hit(FaultPoints.AfterUploadBeforeResult);
                end = await patience.TryAsync(() => results.WriteOnceAsync(kind.Result(key), end, CancellationToken.None), interrupt.Token);
                FaultPoints.Hit(FaultPoints.AfterResultBeforeEvent);
            }
            else
            {
                log.EndedBefore(key.Id, end.GetType().Name);
            }
            await patience.TryAsync(() => events.SendAsync(end, CancellationToken.None), interrupt.Token);
            FaultPoints.Hit(FaultPoints.AfterEventBeforeComplete);
            await patience.TryAsync(() => queue.CompleteMessageAsync(message, CancellationToken.None), interrupt.Token);
            kind.CleanUp(key.Id);
            log.Done(key.Id, watch.Elapsed.TotalSeconds);
        }
        catch (ServiceBusException e) when (e.Reason == ServiceBusFailureReason.MessageLockLost)
        {
            log.LockLost(e, key.Id);
        }
        catch (Exception e) when (Faults.IsLostDevice(e))
        {
            // It may be the job that did it: this delivery counts.
            log.DeviceLost(e, key.Id);
            await queue.AbandonMessageAsync(message, cancellationToken: CancellationToken.None);
            health.Leave();
        }
        finally
        {
            beacon.Say(before); // a training, between whose steps this was drawn
            retirement.JobEnded();
        }
    }

    /// <summary>The job, if the message holds one that can be one: its names become paths.</summary>
    private static T? Read<T>(JobKind<T> kind, ServiceBusReceivedMessage message, out string problem)
    {
        problem = "";
        try
        {
            var job = SdxlJson.Deserialize<T>(message.Body.ToString());
            var (owner, id) = kind.Key(job);
            if (ModelName.TryParse($"{owner}/x", "", out _) is null)
                problem = $"Its owner '{owner}' is no owner's name.";
            else if (!JobId.IsValid(id))
                problem = $"Its id '{id}' is not {JobId.Length} base32 characters.";
            return problem.Length == 0 ? job : default;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or FormatException)
        {
            problem = e.Message;
            return default;
        }
    }

    /// <returns>The event that ends the job; null: interrupted.</returns>
    private async Task<WorkerEvent?> EndOfAsync<T>(JobKind<T> kind, T job, JobTurns.Held turn, JobSignals signals)
    {
        var (key, attempt) = (turn.Job, kind.Attempt(job));
        var madeRoom = false;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(signals.Interrupt, signals.Canceled);
        while (true)
        {
            try
            {
                // A fault of storage or queue: the job is whole, its last checkpoint too. It waits here and goes on.
                return await patience.TryAsync(() => kind.Run(job, turn, signals), ended.Token);
            }
            catch (Exception e) when (signals.Canceled.IsCancellationRequested && Faults.IsPassing(e))
            {
                log.Canceled(key.Id);
                return new JobCanceled(key, attempt, time.GetUtcNow());
            }
            catch (Exception e) when (signals.Interrupt.IsCancellationRequested && Faults.IsPassing(e))
            {
                return null;
            }
            catch (Exception e) when (Faults.IsDiskFull(e) && !madeRoom)
            {
                log.DiskFull(e, key.Id, scratch.Folder);
                scratch.MakeRoom(long.MaxValue, key.Id);
                madeRoom = true;
            }
            catch (Exception e) when (Faults.IsDiskFull(e))
            {
                log.Failed(e, key.Id);
                return new JobFailed(key, attempt, time.GetUtcNow(), scratch.FullSentence());
            }
            catch (Exception e) when (!Faults.IsLostDevice(e))
            {
                log.Failed(e, key.Id);
                return new JobFailed(key, attempt, time.GetUtcNow(), e.Message);
            }
        }
    }

    /// <summary>
    /// The next worker goes on from the checkpoint. As a new message: the queue would count this one's return as a failure of the job.
    /// </summary>
    private async Task GiveBackAsync<T>(JobKind<T> kind, ServiceBusReceiver queue, ServiceBusReceivedMessage message, T job, bool isOthers)
    {
        var id = kind.Key(job).Id;
        if (!isOthers)
        {
            var before = message.ApplicationProperties.TryGetValue(SentAgain, out var count)
                ? Convert.ToInt32(count, CultureInfo.InvariantCulture)
                : 0;
            var (next, messageId) = kind.Again(job, before);
            FaultPoints.Hit(FaultPoints.BeforeNextAttemptIsSent);
            await using var sender = client.CreateSender(queue.EntityPath);
            var again = new ServiceBusMessage(BinaryData.FromString(SdxlJson.Serialize(next)))
            {
                MessageId = messageId, ContentType = "application/json", ApplicationProperties = { [SentAgain] = before + 1 },
            };
            MessageTrace.Inject(again.ApplicationProperties);
            await sender.SendMessageAsync(again, CancellationToken.None);
            FaultPoints.Hit(FaultPoints.AfterNextAttemptIsSent);
        }
        log.GivenBack(id);
        // Another's: its message is another one, or this lock is lost and this call refused.
        await queue.CompleteMessageAsync(message, CancellationToken.None);
    }
}
