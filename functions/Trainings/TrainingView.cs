using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Trainings;

/// <summary>A training as clients see it: Replicate's fields, then ours, which its clients pass over.</summary>
public sealed record TrainingView
{
    public required string Id { get; init; }

    /// <summary>The base model under the name that Replicate's clients know (stability-ai/sdxl), and its version.</summary>
    public required string Model { get; init; }
    public required string Version { get; init; }

    public required JsonObject Input { get; init; }
    public OutputView? Output { get; init; }
    public required JobStatus Status { get; init; }

    /// <summary>null unless it failed: clients take anything else for a failure.</summary>
    public string? Error { get; init; }

    /// <summary>Never null: clients split it into lines.</summary>
    public required string Logs { get; init; }

    /// <summary>predict_time, total_time: seconds, once it is over.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    public string Source => "api";
    public required bool DataRemoved { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    public string? Webhook { get; init; }
    public IReadOnlyList<string>? WebhookEventsFilter { get; init; }

    /// <summary>get, cancel, web, stop, sample, report, metrics, samples, checkpoints, events, logs: absolute links.</summary>
    public required IReadOnlyDictionary<string, string> Urls { get; init; }

    /// <summary>owner/name under which the version is published.</summary>
    public required string Destination { get; init; }

    /// <summary>The base model's own name.</summary>
    public required string Base { get; init; }

    public required TrainingStage Stage { get; init; }

    /// <summary>Null before the first stage with a count.</summary>
    public ProgressView? Progress { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>When its data set is removed; null: not by time, or not yet known.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What it was started from, where that was no archive.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Check { get; init; }

    /// <summary>The version that it goes on from, owner/name:id.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? From { get; init; }

    /// <summary>What it measured on the pictures held out, by step, once it is published; null: none was.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<HeldOutLoss>? HeldOut { get; init; }

    /// <summary>The step that those measurements speak for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Recommendation? Recommended { get; init; }

    /// <summary>
    /// What it may cost and take while it waits for a worker; null before its archive is unpacked, and once one has begun.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Quote? Quote { get; init; }

    /// <summary>What it has cost so far; null where no price is set.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunCost? Cost { get; init; }
}

/// <param name="PicturesDone">Pictures prepared.</param>
/// <param name="Pictures">Pictures in all; 0 before they are counted.</param>
/// <param name="Step">Training steps done.</param>
/// <param name="TotalSteps">Training steps in all; 0 before a worker reported.</param>
/// <param name="MemoryBytes">The most memory in use so far: the GPU's, or the worker's process without one.</param>
public sealed record ProgressView(int PicturesDone, int Pictures, int Step, int TotalSteps, double? Loss, double? StepsPerSecond,
    double? SecondsLeft, string? Device, long? MemoryBytes);

/// <param name="Version">owner/name:id</param>
/// <param name="Weights">Link to trained_model.tar.</param>
/// <param name="Files">Link by file name.</param>
public sealed record OutputView(string Version, string? Weights, IReadOnlyDictionary<string, string> Files);
