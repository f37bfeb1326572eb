using System.Text.Json.Serialization;
using Sdxl.Core.Versions;

namespace Sdxl.Core.Messages;

/// <summary>Queue <c>worker-events</c>: what the GPU worker tells. JobId is a training's or a prediction's id.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(JobStarted), "started")]
[JsonDerivedType(typeof(JobProgressed), "progress")]
[JsonDerivedType(typeof(JobLogged), "log")]
[JsonDerivedType(typeof(TrainingCompleted), "training_completed")]
[JsonDerivedType(typeof(PredictionCompleted), "prediction_completed")]
[JsonDerivedType(typeof(JobFailed), "failed")]
[JsonDerivedType(typeof(JobCanceled), "canceled")]
public abstract record WorkerEvent(string JobId, int Attempt, DateTimeOffset At)
{
    /// <summary>The external event that wakes an orchestrator waiting for the worker.</summary>
    public const string OrchestratorEvent = "worker";

    /// <summary>true for the events that end a job; only these wake the orchestrator, the others are written down beside it.</summary>
    [JsonIgnore]
    public bool IsTerminal => this is TrainingCompleted or PredictionCompleted or JobFailed or JobCanceled;
}

/// <summary>A worker took the job. <paramref name="Device"/>: "cpu", "cuda:0 (NVIDIA A40)"; <paramref name="ResumedAtStep"/>: 0, or the checkpoint's step. Its heartbeat begins.</summary>
public sealed record JobStarted(string JobId, int Attempt, DateTimeOffset At, string Device, int ResumedAtStep, int TotalSteps) : WorkerEvent(JobId, Attempt, At);

/// <summary>Steps done, at most one event a second. Also the heartbeat.</summary>
public sealed record JobProgressed(string JobId, int Attempt, DateTimeOffset At, int Step, int TotalSteps, double? Loss, double? StepsPerSecond, double? SecondsLeft, string Device)
    : WorkerEvent(JobId, Attempt, At);

/// <summary>Lines for the job's log.</summary>
public sealed record JobLogged(string JobId, int Attempt, DateTimeOffset At, IReadOnlyList<string> Lines) : WorkerEvent(JobId, Attempt, At);

/// <summary>The artefacts lie under jobs/{id}/output/, not yet published. The files' hashes are what publishing verifies.</summary>
public sealed record TrainingCompleted(string JobId, int Attempt, DateTimeOffset At, IReadOnlyList<VersionFile> Files, double TrainSeconds) : WorkerEvent(JobId, Attempt, At);

/// <summary>The pictures lie under predictions/{id}/. A flagged picture (safety checker) is black and keeps its slot.</summary>
/// <param name="Warnings">Sentences for the user, or null.</param>
public sealed record PredictionCompleted(string JobId, int Attempt, DateTimeOffset At, IReadOnlyList<DrawnPicture> Pictures, double PredictSeconds, IReadOnlyList<string>? Warnings = null)
    : WorkerEvent(JobId, Attempt, At);

/// <param name="File">out-0.png, …</param>
/// <param name="Seed">The seed that draws this one alone again.</param>
public sealed record DrawnPicture(string File, long Seed, bool Flagged);

/// <summary>The worker gave up. <paramref name="Error"/> is for the user.</summary>
public sealed record JobFailed(string JobId, int Attempt, DateTimeOffset At, string Error) : WorkerEvent(JobId, Attempt, At);

/// <summary>The worker stopped because it was asked to.</summary>
public sealed record JobCanceled(string JobId, int Attempt, DateTimeOffset At) : WorkerEvent(JobId, Attempt, At);
