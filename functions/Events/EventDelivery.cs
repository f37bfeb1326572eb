using System.Text.Json.Nodes;
using Azure;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>How far a receiver has been told of a job's events.</summary>
/// <param name="Told">Number of the last event that it took or does not want.</param>
/// <param name="Failures">Tries of the next one that failed.</param>
/// <param name="NextTry">Nobody is to try before; null: none has failed.</param>
/// <param name="LastThrottled">When the last event was taken of those that may not come too often.</param>
public sealed record DeliveryState(
    int Told,
    int Failures,
    DateTimeOffset? FailingSince,
    DateTimeOffset? NextTry,
    DateTimeOffset? LastThrottled
);

/// <summary>An event that a receiver did not take for a day.</summary>
/// <param name="Name">The event's id, '.', the receiver's.</param>
public sealed record UndeliveredEvent(string Name, string Kind, JobKey Job, JobEvent Event, string Receiver, string Address, int Tries,
    DateTimeOffset FailingSince, DateTimeOffset GivenUpAt, string Error);

/// <summary>
/// Tells each receiver of a job's events, one after the other: an event is sent only when the one before was taken or given up, so that a
/// receiver that drops repetitions by their ids sees them in order. One that does not take an event is tried again for a day.
/// </summary>
public sealed class EventDelivery(JobStories stories, EventReceivers receivers, BlobStore blobs, IMessageQueues queues, TimeProvider time,
    ILogger<EventDelivery> log)
{
    /// <summary>Pauses between the tries: just under a day in all.</summary>
    public static readonly IReadOnlyList<TimeSpan> Pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(8),
    ];

    private static readonly TimeSpan LogPause = TimeSpan.FromSeconds(2);

    // Two deliverers of one job and receiver in this process would send everything twice (two processes still may).
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    public async Task DeliverAsync(EventsHappened told, CancellationToken cancel)
    {
        if (await stories.FindAsync(told.Kind, told.Job, cancel) is not { } story)
            return; // deleted: nobody wants to hear of it
        var all = await receivers.OfAsync(story, cancel);
        if (
            story is { Kind: StorageLayout.TrainingsList, IsOver: false, Webhook: { } webhook }
            && webhook.Filter.Contains(WebhookRequest.Logs)
            && story.Events[^1].Status == JobStatus.Processing
        )
            await LookAgainAsync(new LogsGrew(story.Key, story.Kind, 0, 1), cancel);
        await Task.WhenAll(all.Where(receiver => told.Receiver is null || told.Receiver == receiver.Id)
            .Select(receiver => TellAsync(story, receiver, isItsTurn: told.Receiver is not null, cancel)));
    }

    /// <summary>Tells the job's webhook that the log has grown, if it wants to know and the job is not over.</summary>
    public async Task TellLogsAsync(LogsGrew grew, CancellationToken cancel)
    {
        if (await stories.FindAsync(grew.Kind, grew.Job, cancel) is not { IsOver: false, Webhook: { } webhook } story
            || !webhook.Filter.Contains(WebhookRequest.Logs))
            return;
        var view = await story.View(null, cancel);
        var letters = JsonNode.Parse(view)!["logs"]?.ToString().Length ?? 0;
        if (letters > grew.Seen)
        {
            try
            {
                await receivers.Of(webhook).SendLogsAsync(story, view, cancel);
            }
            catch (DeliveryFailedException e)
            {
                log.LogsNotTaken(story.Key.ToString(), e.Message);
            }
        }
        if (grew.Look > 0)
            await LookAgainAsync(grew with { Seen = letters, Look = grew.Look + 1 }, cancel);
    }

    /// <remarks>The message's id makes the chain of looks one, also where a message comes twice.</remarks>
    private Task LookAgainAsync(LogsGrew next, CancellationToken cancel) => queues.SendAsync<EventMessage>(
        Queues.Events, FormattableString.Invariant($"logs/{next.Job}/{next.Look}"), next, time.GetUtcNow() + LogPause, cancel);

    /// <summary>Sends an event once more that was given up, and forgets it where it is taken.</summary>
    /// <returns>Why it was not taken; null: it was.</returns>
    public async Task<string?> RetryAsync(string owner, UndeliveredEvent undelivered, CancellationToken cancel)
    {
        if (await stories.FindAsync(undelivered.Kind, undelivered.Job, cancel) is not { } story)
            return "its job has been deleted";
        if ((await receivers.OfAsync(story, cancel)).FirstOrDefault(one => one.Id == undelivered.Receiver) is not { } receiver)
            return "its receiver does not exist any more";
        try
        {
            await receiver.SendAsync(story, undelivered.Event, cancel);
        }
        catch (DeliveryFailedException e)
        {
            return e.Message;
        }
        await (await blobs.BlobAsync(StorageLayout.Records, StorageLayout.UndeliveredEvent(owner, undelivered.Name)))
            .DeleteIfExistsAsync(cancellationToken: cancel);
        return null;
    }

    /// <param name="isItsTurn">The reminder has come: clocks may differ, and no other will come.</param>
    private async Task TellAsync(JobStory story, IEventReceiver receiver, bool isItsTurn, CancellationToken cancel)
    {
        var name = StorageLayout.Delivery(story.Key, receiver.Id);
        var turn = _turns[(name.GetHashCode(StringComparison.Ordinal) & int.MaxValue) % _turns.Length];
        await turn.WaitAsync(cancel);
        try
        {
            var known = await blobs.ReadAsync<DeliveryState>(StorageLayout.Records, name, cancel);
            var (state, tag) = known is { } there ? (there.Value, (ETag?)there.ETag) : (new DeliveryState(0, 0, null, null, null), null);
            if (!isItsTurn && state.NextTry > time.GetUtcNow())
                return; // its turn comes, and takes this along
            foreach (var happened in story.Events.Where(e => e.Number > state.Told).ToList())
            {
                state = await TellAsync(story, receiver, happened, state, cancel);
                if (await SaveAsync(name, state, tag, cancel) is not { } saved)
                    return; // another process is at it, and further
                tag = saved;
                if (state.NextTry is not null)
                    return;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <returns>The state after it: further, or with the time of the next try.</returns>
    private async Task<DeliveryState> TellAsync(
        JobStory story, IEventReceiver receiver, JobEvent happened, DeliveryState state, CancellationToken cancel)
    {
        var further = new DeliveryState(happened.Number, 0, null, null, state.LastThrottled);
        if (
            !receiver.Wants(happened)
            || story.Events.FirstOrDefault(e => e.Number == happened.Number + 1) is { } next && receiver.IsCoveredBy(happened, next)
        )
            return further;
        var pause = receiver.PauseBefore(happened);
        if (pause > TimeSpan.Zero && state.LastThrottled + pause - time.GetUtcNow() is { } left && left > TimeSpan.Zero)
            await Task.Delay(left, time, cancel);
        try
        {
            await receiver.SendAsync(story, happened, cancel);
            return pause > TimeSpan.Zero ? further with { LastThrottled = time.GetUtcNow() } : further;
        }
        catch (DeliveryFailedException e)
        {
            var now = time.GetUtcNow();
            var since = state.FailingSince ?? now;
            log.NotTaken(happened.IdOf(story.Key), receiver.Id, state.Failures + 1, e.Message);
            if (state.Failures < Pauses.Count)
            {
                // First the reminder, then the state: a reminder too many does nothing.
                var due = now + Pauses[state.Failures];
                await queues.SendAsync<EventMessage>(
                    Queues.Events,
                    FormattableString.Invariant($"{story.Kind}/{story.Key}/{happened.Number}/{receiver.Id}/{state.Failures + 1}"),
                    new EventsHappened(story.Key, story.Kind, receiver.Id),
                    due,
                    cancel
                );
                return state with { Failures = state.Failures + 1, FailingSince = since, NextTry = due };
            }
            var undelivered = new UndeliveredEvent(
                $"{happened.IdOf(story.Key)}.{receiver.Id}",
                story.Kind,
                story.Key,
                happened,
                receiver.Id,
                receiver.Shown,
                state.Failures + 1,
                since,
                now,
                e.Message
            );
            await blobs.WriteAsync(
                StorageLayout.Records, StorageLayout.UndeliveredEvent(story.Key.Owner, undelivered.Name), undelivered, cancel: cancel);
            return further;
        }
    }

    private async Task<ETag?> SaveAsync(string name, DeliveryState state, ETag? tag, CancellationToken cancel)
    {
        try
        {
            return tag is { } known
                ? await blobs.WriteAsync(StorageLayout.Records, name, state, known, cancel)
                : await blobs.TryCreateAsync(StorageLayout.Records, name, state, cancel);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            return null;
        }
    }
}
