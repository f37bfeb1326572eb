using System.Text.Json.Nodes;
using Sdxl.Core.Captions;

namespace Sdxl.Cli.Api;

/// <summary>A training as the host's API shows it. Read leniently: a newer host may say more.</summary>
internal sealed class TrainingView(JsonObject json)
{
    public JsonObject Json => json;

    public string Id => Text("id") ?? "";

    /// <summary>owner/name</summary>
    public string Model => Text("destination") ?? "";

    public string Base => Text("base") ?? "";

    /// <summary>starting, processing, succeeded, failed, canceled.</summary>
    public string Status => Text("status") ?? "";

    /// <summary>queued, unpack, prepare, manifest, train, publish, done.</summary>
    public string Stage => Text("stage") ?? "";

    public string? Error => Text("error");

    public string Logs => Text("logs") ?? "";

    /// <summary>The page of the data set's report.</summary>
    public string? Report => (json["urls"] as JsonObject)?["report"]?.GetValue<string>() is { } url ? $"{url}?format=html" : null;

    public DateTimeOffset? CreatedAt => DateTimeOffset.TryParse(Text("created_at"), out var time) ? time : null;

    public bool IsOver => Status is "succeeded" or "failed" or "canceled";

    public IReadOnlyList<string> Warnings => json["warnings"] is JsonArray list ? [.. list.Select(item => item?.ToString() ?? "")] : [];

    public int PicturesDone => (int)(Number("pictures_done") ?? 0);

    public int Pictures => (int)(Number("pictures") ?? 0);

    public int Step => (int)(Number("step") ?? 0);

    public int TotalSteps => (int)(Number("total_steps") ?? 0);

    public double? Loss => Number("loss");

    public double? StepsPerSecond => Number("steps_per_second");

    public double? SecondsLeft => Number("seconds_left");

    public string? Device => (json["progress"] as JsonObject)?["device"]?.ToString();

    /// <summary>owner/name:id once published.</summary>
    public string? Version => (json["output"] as JsonObject)?["version"]?.ToString();

    /// <summary>The step that did best on the pictures held out, and why; null where none was.</summary>
    public string? Recommended => json["recommended"] is JsonObject best ? $"step {best["step"]}. {best["reason"]}" : null;

    /// <summary>File name -> link.</summary>
    public IReadOnlyDictionary<string, string> Files =>
        (json["output"] as JsonObject)?["files"] is JsonObject files
            ? files.ToDictionary(pair => pair.Key, pair => pair.Value!.ToString())
            : new Dictionary<string, string>();

    public string? Trigger =>
        (json["input"] as JsonObject)?["token_string"]?.ToString() is { Length: > 0 } words ? new TriggerWords(words).First : null;

    private string? Text(string name) => json[name] is JsonValue value ? value.ToString() : null;

    private double? Number(string name) =>
        (json["progress"] as JsonObject)?[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
