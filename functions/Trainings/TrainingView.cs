using System.Text.Json.Nodes;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Trainings;

/// <summary>A training as clients see it.</summary>
public sealed record TrainingView
{
    public required string Id { get; init; }

    /// <summary>owner/name under which the version is published.</summary>
    public required string Model { get; init; }

    public required string Base { get; init; }
    public required JobStatus Status { get; init; }
    public required TrainingStage Stage { get; init; }
    public required JsonObject Input { get; init; }

    /// <summary>Null before the first stage with a count.</summary>
    public ProgressView? Progress { get; init; }

    public OutputView? Output { get; init; }
    public string? Error { get; init; }
    public required IReadOnlyList<string> Warnings { get; init; }
    public required string Logs { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>get, cancel and, once the data set is prepared, report: absolute links.</summary>
    public required IReadOnlyDictionary<string, string> Urls { get; init; }
}

/// <param name="PicturesDone">Pictures prepared.</param>
/// <param name="Pictures">Pictures in all; 0 before they are counted.</param>
/// <param name="Step">Training steps done.</param>
/// <param name="TotalSteps">Training steps in all; 0 before a worker reported.</param>
public sealed record ProgressView(int PicturesDone, int Pictures, int Step, int TotalSteps, double? Loss, double? StepsPerSecond,
    double? SecondsLeft, string? Device);

/// <param name="Version">owner/name:id</param>
/// <param name="Weights">Link to trained_model.tar.</param>
/// <param name="Files">Link by file name.</param>
public sealed record OutputView(string Version, string? Weights, IReadOnlyDictionary<string, string> Files);
