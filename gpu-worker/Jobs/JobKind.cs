using Sdxl.Core.Identity;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>What others ask of a running job.</summary>
/// <param name="Interrupt">Stop at a checkpoint: the worker stops, or the job is another's by now.</param>
/// <param name="Canceled">The user does not want it any more.</param>
/// <param name="StopEarly">End at the next step and keep what is made.</param>
/// <param name="Samples">Show at the next step how far it is, and go on.</param>
public sealed record JobSignals(
    CancellationToken Interrupt, CancellationToken Canceled, CancellationToken StopEarly, SampleWish Samples);

/// <summary>A kind of job, as much as taking one needs to know about it.</summary>
/// <typeparam name="T">The message.</typeparam>
public sealed class JobKind<T>
{
    /// <summary>"training", "prediction": for the list of workers.</summary>
    public required string Word { get; init; }

    public required Func<T, JobKey> Key { get; init; }

    public required Func<T, int> Attempt { get; init; }

    /// <summary>Whether two deliveries at once could spoil each other's work; else both write the same.</summary>
    public bool TakesTurns { get; init; }

    /// <summary>
    /// The same job as the message of the next attempt, with its message id; the second argument says how often it was sent again before.
    /// </summary>
    public required Func<T, int, (T Job, string MessageId)> Again { get; init; }

    /// <summary>Container and name of the durable end.</summary>
    public required Func<JobKey, (string Container, string Name)> Result { get; init; }

    /// <summary>Does the work.</summary>
    /// <returns>The event that ends the job; null: interrupted, another delivery goes on.</returns>
    public required Func<T, JobTurns.Held, JobSignals, Task<WorkerEvent?>> Run { get; init; }

    /// <summary>Removes what a job that is over left on this machine.</summary>
    public Action<string> CleanUp { get; init; } = _ => { };
}

/// <summary>The two kinds there are.</summary>
public static class JobKinds
{
    public static JobKind<TrainingJob> Trainings(TrainingHandler handler) => new()
    {
        Word = "training",
        TakesTurns = true,
        Key = job => job.Training,
        Attempt = job => job.Attempt,
        Again = (job, _) => job with { Attempt = job.Attempt + 1 } is var next ? (next, next.MessageId) : default,
        Result = key => (StorageLayout.Jobs, StorageLayout.Result(key)),
        Run = handler.RunAsync,
        CleanUp = handler.CleanUp,
    };

    public static JobKind<PredictionJob> Predictions(PredictionHandler handler) => new()
    {
        Word = "prediction",
        Key = job => job.Prediction,
        Attempt = _ => 1,
        Again = (job, before) => (job, FormattableString.Invariant($"{job.MessageId}/{before + 2}")),
        Result = key => (StorageLayout.Predictions, StorageLayout.DrawnResult(key)),
        Run = (job, _, signals) => handler.RunAsync(job, signals.Interrupt, signals.Canceled),
    };
}
