using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Trainings;

namespace Sdxl.Diffusion.Training;

/// <summary>What to train, on what, and where everything goes.</summary>
public sealed record TrainingPlan
{
    /// <summary>The base model, folder or single file: <see cref="BaseManifest.ModelPath"/>.</summary>
    public required BaseManifest Base { get; init; }

    /// <summary>Prepared data set: manifest.json, pictures/, masks/.</summary>
    public required string DatasetFolder { get; init; }

    /// <summary>Effective inputs.</summary>
    public required TrainingInputs Inputs { get; init; }

    /// <summary>Survives a lost worker: checkpoints/, metrics.jsonl, samples/, cache/.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>Receives the finished files; each appears whole or not at all.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>owner/name or name: stands in the files' headers and names.</summary>
    public required string ModelName { get; init; }

    /// <summary>
    /// Inputs as the user gave them: those without effect are named in the log. Null where they are named already: the host does so when it
    /// reads the archive.
    /// </summary>
    public JsonObject? Given { get; init; }

    /// <summary>The published version whose weights it begins with; null: the base model's alone.</summary>
    public TrainingParent? Parent { get; init; }

    /// <summary>What the base model's files are (<see cref="Core.Bases.BaseIdentity"/>); null: found out, which reads them all.</summary>
    public string? BaseIdentity { get; init; }

    /// <summary>
    /// Called on the training's thread between two steps and between two sample pictures; may take its time. Null: nothing.
    /// </summary>
    public Action? BetweenSteps { get; init; }

    /// <summary>
    /// Set: the training ends after the step that it does, at least the first, and what is trained is written as if it had been to the end.
    /// </summary>
    public CancellationToken StopEarly { get; init; }

    /// <summary>
    /// Asked after each step; true: the sample prompts are drawn at this step, too. Nothing of the training's files changes by it. Null:
    /// nobody asks.
    /// </summary>
    public Func<bool>? SamplesAsked { get; init; }

    /// <summary>Set, where the training is to stop: nobody goes on with it, so that no checkpoint is written any more.</summary>
    public CancellationToken Canceled { get; init; }

    /// <summary>Device and threads; null: CUDA where there is one, else the CPU.</summary>
    public TrainingDevice? Device { get; init; }
}

/// <summary>How a training ended.</summary>
public abstract record TrainingOutcome
{
    private TrainingOutcome() { }

    /// <param name="Files">Names of the files in the output folder.</param>
    /// <param name="HeldOut">By step; empty where no picture was held out.</param>
    public sealed record Completed(int Steps, IReadOnlyList<string> Files, IReadOnlyList<HeldOutLoss> HeldOut) : TrainingOutcome;

    /// <param name="Step">Steps done; a checkpoint of exactly this step is on disk, unless the training was canceled for good.</param>
    public sealed record Stopped(int Step) : TrainingOutcome;
}
