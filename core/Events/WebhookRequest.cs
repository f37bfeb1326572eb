namespace Sdxl.Core.Events;

/// <summary>Where a job's caller wants to hear of it, as Replicate's clients ask for that.</summary>
/// <param name="Url">http or https address that is posted to.</param>
/// <param name="Filter">Some of <see cref="Events"/>.</param>
public sealed record WebhookRequest(string Url, IReadOnlyList<string> Filter)
{
    public const string Start = "start", Output = "output", Logs = "logs", Completed = "completed";

    /// <summary>Words of webhook_events_filter.</summary>
    public static IReadOnlyList<string> Events { get; } = [Start, Output, Logs, Completed];

    /// <summary>What is sent where no filter is given: new outputs and the end.</summary>
    public static IReadOnlyList<string> UsualFilter { get; } = [Output, Completed];

    /// <summary>The filter's word for an event; null: webhooks are not told of it.</summary>
    public static string? WordOf(JobEvent happened) => happened.Type switch
    {
        EventTypes.TrainingProcessing or EventTypes.PredictionProcessing => Start,
        EventTypes.PredictionOutput => Output,
        EventTypes.TrainingCompleted or EventTypes.TrainingFailed or EventTypes.TrainingCanceled
            or EventTypes.PredictionCompleted or EventTypes.PredictionFailed or EventTypes.PredictionCanceled => Completed,
        _ => null,
    };
}
