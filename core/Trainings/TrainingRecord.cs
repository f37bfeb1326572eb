using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;

namespace Sdxl.Core.Trainings;

/// <summary>The state of record of a training: one JSON document, written by the orchestrator's activities only.</summary>
public sealed record TrainingRecord : IJobRecord<TrainingRecord>
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

    /// <summary>What it measured on the pictures held out, by step; empty until it is published, or where none was.</summary>
    public IReadOnlyList<HeldOutLoss> HeldOut { get; init; } = [];

    /// <summary>Things the user should know: skipped pictures, inputs without effect.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>true once the data set's report (report.html, report.json) is stored.</summary>
    public bool HasReport { get; init; }

    /// <summary>Pictures that are prepared in all; 0 before the archive is unpacked.</summary>
    public int Pictures { get; init; }

    /// <summary>Id of the training or check whose data set it took; null: an archive of its own.</summary>
    public string? Data { get; init; }

    /// <summary>The version that it goes on from, owner/name:id; null: it begins with the base model.</summary>
    public string? From { get; init; }

    /// <summary>
    /// Blob of the archive that came over HTTP, container/path: what it is started from. Empty in records of before this was kept.
    /// </summary>
    public string Archive { get; init; } = "";

    /// <summary>Its data set has been removed, by time or by hand.</summary>
    public bool DataRemoved { get; init; }

    /// <summary>What its run left beside log and measurements has been removed.</summary>
    public bool ScratchRemoved { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Only the data set and its report are made: nobody is told of it, and no list shows it.</summary>
    public bool IsCheck { get; init; }

    /// <summary>Where the caller reached the service ("https://host"): links in webhooks begin so. Empty: it came by another way.</summary>
    public string Root { get; init; } = "";

    public WebhookRequest? Webhook { get; init; }
    public IReadOnlyList<JobEvent> Events { get; init; } = [];
    public int Told { get; init; }
    public IReadOnlyList<OutboxMessage> Outbox { get; init; } = [];

    public static string Kind => StorageLayout.TrainingsList;

    [JsonIgnore]
    public JobKey Key => new(Owner, Id);

    public TrainingRecord With(JobStatus status, TrainingStage stage, DateTimeOffset now) => this with
    {
        Status = status,
        Stage = stage,
        StartedAt = StartedAt ?? (status == JobStatus.Starting ? null : now),
        CompletedAt = JobTransitions.IsTerminal(status) ? CompletedAt ?? now : null,
    };

    /// <summary>The state as it was when an event happened.</summary>
    public TrainingRecord AsOf(JobEvent happened) => JobTransitions.IsTerminal(happened.Status) ? this : this with
    {
        Status = happened.Status,
        Stage = happened.Type switch
        {
            EventTypes.TrainingStarting => TrainingStage.Queued,
            EventTypes.TrainingProcessing => TrainingStage.Unpack,
            _ => TrainingStage.Publish,
        },
        Output = happened.Type == EventTypes.VersionPublished ? Output : null,
        Error = null,
        StartedAt = happened.Status == JobStatus.Starting ? null : StartedAt,
        CompletedAt = null,
    };

    public TrainingRecord Owing(IReadOnlyList<JobEvent> events, int told, IReadOnlyList<OutboxMessage> outbox) =>
        this with { Events = events, Told = told, Outbox = outbox };

    public IEnumerable<(string Type, int Pictures)> HappenedSince(TrainingRecord? before)
    {
        if (IsCheck)
            yield break;
        if (before is null)
            yield return (EventTypes.TrainingStarting, 0);
        if (before?.Status is null or JobStatus.Starting && Status is JobStatus.Processing or JobStatus.Succeeded)
            yield return (EventTypes.TrainingProcessing, 0);
        if (before?.Output is null && Output is not null)
            yield return (EventTypes.VersionPublished, 0);
        if (before?.Status != Status && JobTransitions.IsTerminal(Status))
        {
            yield return (Status switch
            {
                JobStatus.Succeeded => EventTypes.TrainingCompleted,
                JobStatus.Failed => EventTypes.TrainingFailed,
                _ => EventTypes.TrainingCanceled,
            }, 0);
        }
    }
}

/// <param name="Version">64 hex characters.</param>
/// <param name="Files">Names of the published files.</param>
public sealed record TrainingOutput(string Version, IReadOnlyList<string> Files);
