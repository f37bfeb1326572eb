using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Jobs;

namespace Sdxl.Functions.Predictions;

/// <summary>How far a prediction is. Steps count over all its pictures; a refiner's are not among them.</summary>
public sealed record DrawingProgress(int Step, int TotalSteps, double? StepsPerSecond, double? SecondsLeft, string? Device);

/// <summary>A prediction as clients see it: Replicate's, and some fields that its clients pass over.</summary>
/// <param name="Model">owner/name of the version, or of the base model alone.</param>
/// <param name="Version">64 hex characters.</param>
/// <param name="Output">The pictures, in order, as they come; null before the first. Flagged ones are left out, and the others keep their
/// numbers.</param>
/// <param name="Error">null unless it failed.</param>
/// <param name="Logs">Never null.</param>
/// <param name="Metrics">predict_time and total_time in seconds once it is over.</param>
/// <param name="Seeds">The seed that draws each picture of the output alone again.</param>
/// <param name="Warnings">What the user should know though it worked, for example that nothing checked the pictures.</param>
/// <param name="Progress">While a worker draws; null before and afterwards.</param>
/// <param name="ExpiresAt">When it is removed with its pictures; null: not by time, or not yet known.</param>
/// <param name="Thumbnails">A small WebP of each picture of the output, at most 320 pixels wide or high; null and left out before there
/// are any.</param>
public sealed record PredictionView(
    string Id, string Model, string Version, JobStatus Status, JsonObject Input, IReadOnlyList<string>? Output, string? Error, string Logs,
    IReadOnlyDictionary<string, double> Metrics, string Source, bool DataRemoved, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt,
    DateTimeOffset? CompletedAt, string? Webhook, IReadOnlyList<string>? WebhookEventsFilter, IReadOnlyDictionary<string, string> Urls,
    string Base, IReadOnlyList<long> Seeds, IReadOnlyList<string> Warnings, DrawingProgress? Progress,
    DateTimeOffset? ExpiresAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Thumbnails = null);
