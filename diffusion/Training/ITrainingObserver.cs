using System.Text.Json.Serialization;

namespace Sdxl.Diffusion.Training;

/// <summary>Hears what a training does. Called on the training's thread: return soon.</summary>
public interface ITrainingObserver
{
    /// <param name="resumedAtStep">Steps that a checkpoint already holds; 0 for a new run.</param>
    void Started(string device, int resumedAtStep, int totalSteps);

    void Stepped(StepMetrics metrics);

    /// <param name="folder">The whole checkpoint; it stays until two newer ones exist.</param>
    void CheckpointWritten(string folder, int step);

    /// <param name="folder">Finished files of a step's weights, for people; they stay until the hearer removes them. Told again where they
    /// did.</param>
    void CheckpointKept(string folder, int step);

    /// <param name="file">PNG.</param>
    void SampleDrawn(string file, string prompt, int step);

    /// <summary>The whole set that was asked for is drawn; its pictures were told before.</summary>
    void AskedSamplesDrawn(int step);

    /// <summary>One line for people.</summary>
    void Log(string line);
}

/// <summary>One step in numbers; also a line of metrics.jsonl.</summary>
/// <param name="Step">Steps done, 1 after the first.</param>
/// <param name="Loss">Mean over the step's samples, after weighting.</param>
/// <param name="LossByTimestep">Mean loss in ten equal bins of the timestep (0-99, 100-199, …), null where the step had no sample.</param>
/// <param name="GradientNorm">Over everything that trains, before clipping.</param>
/// <param name="Rate">Learning rate of the LoRA or the U-Net in this step.</param>
/// <param name="TokenRate">Learning rate of the trigger word's vectors; 0 from the pivot on.</param>
/// <param name="Milliseconds">Wall time of the step.</param>
/// <param name="PicturesPerSecond">Pictures of the step over its wall time.</param>
/// <param name="PeakMebibytes">Most memory of the machine that the process has held so far (resident set).</param>
/// <param name="DevicePeakMebibytes">Most memory of the GPU that was in use so far, as its driver says; null on the processor, or where the
/// driver says nothing.</param>
/// <param name="HeldOut">What the net gets wrong on the pictures held out, after this step; null where that was not measured.</param>
public sealed record StepMetrics(
    int Step, int TotalSteps, double Loss, IReadOnlyList<double?> LossByTimestep, double GradientNorm, double Rate, double TokenRate,
    double Milliseconds, double PicturesPerSecond, double PeakMebibytes, double? DevicePeakMebibytes = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? HeldOut = null);
