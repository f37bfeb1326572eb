using System.Text.Json.Serialization;
using Sdxl.Core.Identity;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;

namespace Sdxl.Core.Messages;

/// <summary>Queue <c>worker-events</c>: what the GPU worker tells. Job is a training or a prediction.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TrainingCompleted), "training_completed")]
[JsonDerivedType(typeof(DrawingStarted), "drawing_started")]
[JsonDerivedType(typeof(PictureDrawn), "picture_drawn")]
[JsonDerivedType(typeof(DrawingLogged), "drawing_logged")]
[JsonDerivedType(typeof(PredictionCompleted), "prediction_completed")]
[JsonDerivedType(typeof(JobFailed), "failed")]
[JsonDerivedType(typeof(JobCanceled), "canceled")]
public abstract record WorkerEvent(JobKey Job, int Attempt, DateTimeOffset At)
{
    /// <summary>The external event that wakes an orchestrator waiting for the worker.</summary>
    public const string OrchestratorEvent = "worker";

    /// <summary>true for the events that end a job; only these wake the orchestrator, the others are written down beside it.</summary>
    [JsonIgnore]
    public bool IsTerminal => this is TrainingCompleted or PredictionCompleted or JobFailed or JobCanceled;
}

/// <summary>The artefacts lie under the delivery's own place, not yet published. The files' hashes are what publishing verifies.</summary>
/// <param name="Place">jobs/{owner}/{id}/attempts/{Place}/output/….</param>
/// <param name="HeldOut">By step; null: no picture was held out.</param>
public sealed record TrainingCompleted(
    JobKey Job, int Attempt, DateTimeOffset At, string Place, IReadOnlyList<VersionFile> Files, double TrainSeconds,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<HeldOutLoss>? HeldOut = null)
    : WorkerEvent(Job, Attempt, At);

/// <summary>A worker took the prediction. How far it is, it writes to jobs/{owner}/{id}/drawing.json.</summary>
public sealed record DrawingStarted(JobKey Job, int Attempt, DateTimeOffset At, string Device) : WorkerEvent(Job, Attempt, At);

/// <summary>One more picture lies under predictions/{owner}/{id}/.</summary>
/// <param name="Pictures">All that are ready.</param>
public sealed record PictureDrawn(JobKey Job, int Attempt, DateTimeOffset At, IReadOnlyList<DrawnPicture> Pictures)
    : WorkerEvent(Job, Attempt, At);

/// <summary>The prediction's log has grown; sent where its webhook wants to know.</summary>
public sealed record DrawingLogged(JobKey Job, int Attempt, DateTimeOffset At) : WorkerEvent(Job, Attempt, At);

/// <summary>The pictures lie under predictions/{owner}/{id}/. A flagged picture (safety checker) is black and keeps its slot.</summary>
/// <param name="Warnings">Sentences for the user, or null.</param>
public sealed record PredictionCompleted(
    JobKey Job,
    int Attempt,
    DateTimeOffset At,
    IReadOnlyList<DrawnPicture> Pictures,
    double PredictSeconds,
    IReadOnlyList<string>? Warnings = null
) : WorkerEvent(Job, Attempt, At);

/// <param name="File">out-0.png, …</param>
/// <param name="Seed">The seed that draws this one alone again.</param>
/// <param name="Thumbnail">Name of its small WebP beside it; null where nobody is shown the picture.</param>
public sealed record DrawnPicture(
    string File, long Seed, bool Flagged,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Thumbnail = null);

/// <summary>The worker gave up. <paramref name="Error"/> is for the user.</summary>
public sealed record JobFailed(JobKey Job, int Attempt, DateTimeOffset At, string Error) : WorkerEvent(Job, Attempt, At);

/// <summary>The worker stopped because it was asked to.</summary>
public sealed record JobCanceled(JobKey Job, int Attempt, DateTimeOffset At) : WorkerEvent(Job, Attempt, At);
