using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;

namespace Sdxl.Core.Trainings;

/// <summary>The state of record of a training: one JSON document, written by the orchestrator's activities only.</summary>
public sealed record TrainingRecord
{
    public required string Id { get; init; }
    public required string Owner { get; init; }
    public required string Name { get; init; }
    public required string Base { get; init; }
    public required string Source { get; init; }
    public required JobStatus Status { get; init; }
    public required TrainingStage Stage { get; init; }

    /// <summary>The effective inputs once they are known, before that the given ones.</summary>
    public required JsonObject Input { get; init; }

    /// <summary>One clear text when failed, else null.</summary>
    public string? Error { get; init; }

    /// <summary>What was published, null until then.</summary>
    public TrainingOutput? Output { get; init; }

    /// <summary>Things the user should know: skipped pictures, inputs without effect.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>true once the data set's report (report.html, report.json) is stored.</summary>
    public bool HasReport { get; init; }

    /// <summary>Pictures that are prepared in all; 0 before the archive is unpacked.</summary>
    public int Pictures { get; init; }

    /// <summary>What it was started with as far as <see cref="Input"/> does not tell: the id of the training or check whose data set it
    /// took, and the version that it trains further.</summary>
    public string? Data { get; init; }
    public string? From { get; init; }

    /// <summary>Only the data set and its report are made: nobody is told of it, and no list shows it.</summary>
    public bool IsCheck { get; init; }

    /// <summary>Where the caller reached the service ("https://host"): links in webhooks begin so. Empty: it came by another way.</summary>
    public string Root { get; init; } = "";

    /// <summary>Its data set has been removed, by time or by hand.</summary>
    public bool DataRemoved { get; init; }

    /// <summary>What its run left beside log and measurements has been removed.</summary>
    public bool ScratchRemoved { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    [JsonIgnore]
    public JobKey Key => new(Owner, Id);

    public TrainingRecord With(JobStatus status, TrainingStage stage, DateTimeOffset now) => this with
    {
        Status = status,
        Stage = stage,
        StartedAt = StartedAt ?? (status == JobStatus.Starting ? null : now),
        CompletedAt = JobTransitions.IsTerminal(status) ? CompletedAt ?? now : null,
    };
}

/// <param name="Version">64 hex characters.</param>
/// <param name="Files">Names of the published files.</param>
public sealed record TrainingOutput(string Version, IReadOnlyList<string> Files);
