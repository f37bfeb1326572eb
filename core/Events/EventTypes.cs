namespace Sdxl.Core.Events;

/// <summary>Types of the events that the service tells the world, as CloudEvents name them.</summary>
public static class EventTypes
{
    public const string TrainingStarting = "training.starting", TrainingProcessing = "training.processing",
        TrainingCompleted = "training.completed", TrainingFailed = "training.failed", TrainingCanceled = "training.canceled";

    /// <summary>A training's version is there to be drawn with; <see cref="TrainingCompleted"/> follows.</summary>
    public const string VersionPublished = "version.published";

    public const string PredictionStarting = "prediction.starting", PredictionProcessing = "prediction.processing",
        PredictionCompleted = "prediction.completed", PredictionFailed = "prediction.failed", PredictionCanceled = "prediction.canceled";

    /// <summary>Another picture of a prediction is ready.</summary>
    public const string PredictionOutput = "prediction.output";

    /// <summary>Sent on request only, to try an address.</summary>
    public const string Test = "subscription.test";

    /// <summary>Those of jobs.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        TrainingStarting, TrainingProcessing, VersionPublished, TrainingCompleted, TrainingFailed, TrainingCanceled,
        PredictionStarting, PredictionProcessing, PredictionOutput, PredictionCompleted, PredictionFailed, PredictionCanceled,
    ];
}
