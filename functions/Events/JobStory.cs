using System.Text.Json.Nodes;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;

namespace Sdxl.Functions.Events;

/// <summary>A job as receivers of its events are told of it, a training or a prediction.</summary>
/// <param name="Kind">"trainings" or "predictions".</param>
/// <param name="Root">Where its caller reaches this service; empty where that is not known.</param>
/// <param name="Data">A CloudEvent's data: the job when the event happened, in short.</param>
/// <param name="Progress">How far it is: status, and what else there is to know of it.</param>
/// <param name="View">What GET answered when the event happened; null: what it answers now. JSON.</param>
public sealed record JobStory(
    JobKey Key,
    string Kind,
    bool IsOver,
    IReadOnlyList<JobEvent> Events,
    WebhookRequest? Webhook,
    string Root,
    Func<JobEvent, CancellationToken, Task<JsonObject>> Data,
    Func<CancellationToken, Task<JsonObject>> Progress,
    Func<JobEvent?, CancellationToken, Task<string>> View
)
{
    /// <summary>Number of the newest event.</summary>
    public int Last => Events.Count == 0 ? 0 : Events[^1].Number;
}
