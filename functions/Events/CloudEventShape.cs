using System.Globalization;
using System.Text.Json.Nodes;
using Sdxl.Core.Events;

namespace Sdxl.Functions.Events;

/// <summary>An event as the world gets it: CloudEvents 1.0, structured JSON. docs/events.md describes it, golden files pin it.</summary>
public static class CloudEventShape
{
    public const string ContentType = "application/cloudevents+json";

    /// <remarks>source and id together are unique; sequence (CloudEvents' extension) orders the events of one source.</remarks>
    public static async Task<JsonObject> OfAsync(JobStory story, JobEvent happened, CancellationToken cancel) => new()
    {
        ["specversion"] = "1.0",
        ["id"] = happened.IdOf(story.Key),
        ["source"] = $"{story.Root}/v1/{story.Kind}/{story.Key.Id}",
        ["type"] = happened.Type,
        ["subject"] = $"{story.Key.Owner}/{story.Kind}/{story.Key.Id}",
        ["time"] = Time(happened.At),
        ["sequence"] = happened.Number.ToString("D4", CultureInfo.InvariantCulture),
        ["datacontenttype"] = "application/json",
        ["data"] = await story.Data(happened, cancel),
    };

    /// <summary>One that nothing has happened for: a subscriber tries an address with it.</summary>
    public static JsonObject Test(string id, string subscription, string root, DateTimeOffset now) => new()
    {
        ["specversion"] = "1.0",
        ["id"] = id,
        ["source"] = $"{root}/v1/subscriptions/{subscription}",
        ["type"] = EventTypes.Test,
        ["time"] = Time(now),
        ["datacontenttype"] = "application/json",
        ["data"] = new JsonObject { ["subscription"] = subscription },
    };

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
