using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sdxl.Core.Identity;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>One connection of server-sent events: LF line ends, every event flushed, a comment where nothing else is said.</summary>
public sealed class EventStream(HttpResponse response, TimeProvider time)
{
    /// <summary>The platform ends a request after 230 s; a client comes back by itself.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(215);

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly DateTimeOffset _began = time.GetUtcNow();
    private DateTimeOffset _last = time.GetUtcNow();

    public bool IsLong => time.GetUtcNow() - _began > Longest;

    public async Task BeginAsync(CancellationToken cancel)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        await WriteAsync(": events follow\nretry: 1000\n\n", cancel);
    }

    /// <param name="id">null: a client that comes back need not know that it had this one.</param>
    /// <param name="data">Of one line.</param>
    public Task SendAsync(string? id, string type, string data, CancellationToken cancel) =>
        WriteAsync($"{(id is null ? "" : $"id: {id}\n")}event: {type}\ndata: {data.ReplaceLineEndings(" ")}\n\n", cancel);

    /// <summary>Keeps the connection where it has been silent.</summary>
    public Task KeepAsync(CancellationToken cancel) =>
        time.GetUtcNow() - _last < Silence ? Task.CompletedTask : WriteAsync(": still here\n\n", cancel);

    private async Task WriteAsync(string text, CancellationToken cancel)
    {
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
        await response.Body.FlushAsync(cancel);
        _last = time.GetUtcNow();
    }
}

/// <summary>Lets a person follow a job: its events as they are recorded, and how far it is in between.</summary>
public sealed class EventStreams(JobStories stories, RecordChanges changes, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Writes until the job is over, the caller goes or the connection gets too old.</summary>
    /// <param name="story">As it is now.</param>
    /// <param name="after">Number of the last event that the caller has.</param>
    public async Task FollowAsync(HttpResponse response, JobStory story, int after, CancellationToken cancel)
    {
        var stream = new EventStream(response, time);
        await stream.BeginAsync(cancel);
        using var watch = changes.Of(story.Key);
        var progress = "";
        for (JobStory? now = story; now is not null; now = await stories.FindAsync(story.Kind, story.Key, cancel))
        {
            foreach (var happened in now.Events.Where(e => e.Number > after))
            {
                await stream.SendAsync(
                    happened.Number.ToString(System.Globalization.CultureInfo.InvariantCulture), happened.Type,
                    (await CloudEventShape.OfAsync(now, happened, cancel)).ToJsonString(), cancel);
            }
            after = Math.Max(after, now.Last);
            if (now.IsOver)
            {
                await stream.SendAsync(null, "done", "{}", cancel);
                return;
            }
            if ((await now.Progress(cancel)).ToJsonString() is var newest && newest != progress)
                await stream.SendAsync(null, "progress", progress = newest, cancel);
            if (stream.IsLong)
                return;
            await stream.KeepAsync(cancel);
            await watch.WaitAsync(LookEvery, cancel);
        }
    }
}
