using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;

namespace Sdxl.Core.Predictions;

/// <summary>The state of record of a prediction: made by its POST, ended by its worker's last word, a cancel or its deadline.</summary>
public sealed record PredictionRecord : IJobRecord<PredictionRecord>
{
    public required string Id { get; init; }
    public required string Owner { get; init; }
    public required string Base { get; init; }

    /// <summary>owner/name:version, or null for the base model alone.</summary>
    public string? Version { get; init; }

    public required JobStatus Status { get; init; }

    /// <summary>What the caller gave, typed; files as names of blobs or as addresses without their query.</summary>
    public required JsonObject Input { get; init; }

    /// <summary>Those that are ready, in order, flagged ones included.</summary>
    public IReadOnlyList<DrawnPicture> Pictures { get; init; } = [];

    /// <summary>What the user should know though it worked.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
    public string? Error { get; init; }
    public double? PredictSeconds { get; init; }

    /// <summary>The whole log once it is over; empty before.</summary>
    public string Logs { get; init; } = "";
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>Where the caller reached the service ("https://host"): links in webhooks begin so.</summary>
    public string Root { get; init; } = "";

    public WebhookRequest? Webhook { get; init; }

    /// <summary>The secret part of urls.stream; null: none was offered.</summary>
    public string? StreamSecret { get; init; }

    public IReadOnlyList<JobEvent> Events { get; init; } = [];
    public int Told { get; init; }
    public IReadOnlyList<OutboxMessage> Outbox { get; init; } = [];

    public static string Kind => StorageLayout.PredictionsList;

    [JsonIgnore]
    public JobKey Key => new(Owner, Id);

    /// <summary>The state as it was when an event happened.</summary>
    public PredictionRecord AsOf(JobEvent happened) => JobTransitions.IsTerminal(happened.Status) ? this : this with
    {
        Status = happened.Status,
        Pictures = [.. Pictures.Take(happened.Pictures)],
        Error = null,
        PredictSeconds = null,
        StartedAt = happened.Status == JobStatus.Starting ? null : StartedAt,
        CompletedAt = null,
    };

    public PredictionRecord Owing(IReadOnlyList<JobEvent> events, int told, IReadOnlyList<OutboxMessage> outbox) =>
        this with { Events = events, Told = told, Outbox = outbox };

    /// <remarks>Whoever waits for a beginning and for pictures gets them, also where the worker's first words came late or not at
    /// all.</remarks>
    public IEnumerable<(string Type, int Pictures)> HappenedSince(PredictionRecord? before)
    {
        if (before is null)
            yield return (EventTypes.PredictionStarting, 0);
        var known = before?.Pictures.Count ?? 0;
        if (before?.Status is null or JobStatus.Starting && Status is JobStatus.Processing or JobStatus.Succeeded)
            yield return (EventTypes.PredictionProcessing, known);
        if (Pictures.Count > known)
            yield return (EventTypes.PredictionOutput, Pictures.Count);
        if (before?.Status != Status && JobTransitions.IsTerminal(Status))
        {
            yield return (Status switch
            {
                JobStatus.Succeeded => EventTypes.PredictionCompleted,
                JobStatus.Failed => EventTypes.PredictionFailed,
                _ => EventTypes.PredictionCanceled,
            }, Pictures.Count);
        }
    }
}
