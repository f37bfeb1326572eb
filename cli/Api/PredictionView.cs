using System.Text.Json.Nodes;

namespace Sdxl.Cli.Api;

/// <summary>A prediction as the host's API shows it.</summary>
internal sealed class PredictionView(JsonObject json)
{
    public string Id => json["id"]?.ToString() ?? "";

    public string Status => json["status"]?.ToString() ?? "";

    public string? Error => json["error"]?.ToString();

    /// <summary>Steps done, over all pictures; 0 before a worker told.</summary>
    public int Step => (int)(Number("step") ?? 0);

    public int TotalSteps => (int)(Number("total_steps") ?? 0);

    public double? StepsPerSecond => Number("steps_per_second");

    public double? SecondsLeft => Number("seconds_left");

    public bool IsOver => Status is "succeeded" or "failed" or "canceled";

    /// <summary>Links to the pictures.</summary>
    public IReadOnlyList<string> Output => json["output"] is JsonArray list ? [.. list.Select(item => item!.ToString())] : [];

    /// <summary>The seed that draws each picture alone again.</summary>
    public IReadOnlyList<long> Seeds => json["seeds"] is JsonArray list ? [.. list.Select(item => item!.GetValue<long>())] : [];

    /// <summary>What the user should know though it worked.</summary>
    public IReadOnlyList<string> Warnings => json["warnings"] is JsonArray list ? [.. list.Select(item => item!.ToString())] : [];

    private double? Number(string name) =>
        (json["progress"] as JsonObject)?[name] is JsonValue value && value.TryGetValue<double>(out var number) ? number : null;
}
