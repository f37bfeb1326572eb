using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Http;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>Server-sent events over HTTP.</summary>
public sealed class EventStreamsApi(
    EventStreams streams, JobStories stories, RecordStore records, RecordChanges changes, PredictionViews views, Addresses addresses,
    TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Events with the header Last-Event-ID are those after it. 204 where none can come any more: a browser does not ask again
    /// then.</summary>
    [Function("FollowTraining")]
    [Operation("A training's events as they happen, as server-sent events.", Media = "text/event-stream")]
    public Task<IActionResult> Training(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/trainings/{id}/events")] HttpRequest request, string id,
        CancellationToken cancel) => FollowAsync(request, TrainingRecord.Kind, id, $"There is no training '{id}'.", cancel);

    /// <inheritdoc cref="Training"/>
    [Function("FollowPrediction")]
    [Operation("A prediction's events as they happen, as server-sent events.", Media = "text/event-stream")]
    public Task<IActionResult> Prediction(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/predictions/{id}/events")] HttpRequest request, string id,
        CancellationToken cancel) => FollowAsync(request, PredictionRecord.Kind, id, $"There is no prediction '{id}'.", cancel);

    /// <summary>
    /// A prediction's pictures as Replicate's clients stream them: an event "output" with an address each, "error", and always "done" at
    /// the end, also for who comes late. The address is the permission: these clients send no token to it.
    /// </summary>
    [Function("StreamPrediction")]
    [Operation("A prediction's pictures as they come, as server-sent events.", Media = "text/event-stream")]
    [OpenToAll("the address holds a secret of the prediction's own; Replicate's clients send no token to it")]
    public async Task<IActionResult> Stream(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/files/stream/{token}")] HttpRequest request, string token,
        CancellationToken cancel)
    {
        if (token.Split('~') is not [var owner, var id, var secret] || !JobId.IsValid(id)
            || ModelName.TryParse($"{owner}/x", owner, out _) is null // an owner's word, so that no other blob is read
            || await records.PredictionAsync(new JobKey(owner, id), cancel) is not { StreamSecret: { } own } record
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(own), Encoding.UTF8.GetBytes(secret)))
            return Answers.NotFound("There is no such stream.");
        var stream = new EventStream(request.HttpContext.Response, time);
        await stream.BeginAsync(cancel);
        using var watch = changes.Of(record.Key);
        var root = addresses.RootOf(request);
        var sent = Math.Max(0, LastId(request));
        for (PredictionRecord? now = record; now is not null; now = await records.PredictionAsync(record.Key, cancel))
        {
            var view = await views.NowAsync(now, root, cancel);
            for (var links = view.Output ?? []; sent < links.Count;)
                await stream.SendAsync((++sent).ToString(CultureInfo.InvariantCulture), "output", links[sent - 1], cancel);
            if (JobTransitions.IsTerminal(now.Status))
            {
                if (now.Status == JobStatus.Failed)
                    await stream.SendAsync((++sent).ToString(CultureInfo.InvariantCulture), "error", now.Error ?? "It failed.", cancel);
                await stream.SendAsync((++sent).ToString(CultureInfo.InvariantCulture), "done", "{}", cancel);
                break;
            }
            if (stream.IsLong)
                break;
            await stream.KeepAsync(cancel);
            await watch.WaitAsync(LookEvery, cancel);
        }
        return new EmptyResult();
    }

    private async Task<IActionResult> FollowAsync(HttpRequest request, string kind, string id, string nobody, CancellationToken cancel)
    {
        if (request.JobOf(id) is not { } key || await stories.FindAsync(kind, key, cancel) is not { } story)
            return Answers.NotFound(nobody);
        var after = LastId(request);
        if (story.IsOver && after >= story.Last)
            return new NoContentResult();
        await streams.FollowAsync(request.HttpContext.Response, story, after, cancel);
        return new EmptyResult();
    }

    /// <returns>0 where the caller has no event yet.</returns>
    private static int LastId(HttpRequest request) =>
        int.TryParse(request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
