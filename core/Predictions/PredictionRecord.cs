using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;

namespace Sdxl.Core.Predictions;

/// <summary>The state of record of a prediction.</summary>
public sealed record PredictionRecord
{
    public required string Id { get; init; }
    public required string Owner { get; init; }
    public required string Base { get; init; }

    /// <summary>owner/name:version, or null for the base model alone.</summary>
    public string? Version { get; init; }

    public required JobStatus Status { get; init; }
    public required JsonObject Input { get; init; }
    public IReadOnlyList<DrawnPicture> Pictures { get; init; } = [];

    /// <summary>What the user should know though it worked.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
    public string? Error { get; init; }
    public double? PredictSeconds { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    [JsonIgnore]
    public JobKey Key => new(Owner, Id);
}

/// <summary>What starts a prediction's orchestration.</summary>
/// <param name="Weights">Blob prefix inside the models container, or null.</param>
/// <param name="Version">owner/name:version for the record, or null.</param>
public sealed record PredictionRequest(JobKey Key, string Base, string? Weights, string? Version, PredictionInputs Inputs);
