using System.Security.Cryptography;
using System.Text;
using Sdxl.Core.Captions;
using Sdxl.Core.Json;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Optimizers;
using Sdxl.Diffusion.Schedulers;

namespace Sdxl.Diffusion.Training;

/// <summary>Everything that decides a training's numbers, worked out from the inputs, the base model and the number of pictures.</summary>
public sealed record TrainingSettings
{
    /// <summary>Updates in all, 1 or more.</summary>
    public required int Steps { get; init; }

    /// <summary>Batches whose gradients one update averages, 1 or more.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Null: full fine-tune of the U-Net.</summary>
    public LoraSettings? Lora { get; init; }

    /// <summary>Base rate of the LoRA or the U-Net; 1e-4 and 1e-6 are usual.</summary>
    public required double Rate { get; init; }

    /// <summary>Weight decay of the LoRA or the U-Net.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Base rate of the trigger words' vectors.</summary>
    public required double TokenRate { get; init; }

    /// <summary>Weight decay of the trigger words' vectors.</summary>
    public double TokenWeightDecay { get; init; } = 1e-3;

    /// <summary>Update from which on the vectors are frozen: 0 never trains them, <see cref="Steps"/> trains them to the end.</summary>
    public required int Pivot { get; init; }

    public required LearningRateSchedule Schedule { get; init; }

    /// <summary>adamw, prodigy, adafactor, lion.</summary>
    public string Optimizer { get; init; } = "adamw";

    public AdamWSettings AdamW { get; init; } = new();

    /// <summary>Gradients are scaled down to this norm; 0 leaves them alone.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>
    /// Min-SNR: loss weights are capped as if no timestep had a signal-to-noise ratio above this; 5 is usual, null is off.
    /// </summary>
    public double? SnrGamma { get; init; }

    /// <summary>Strength of the per-channel offset on the noise; 0 is off.</summary>
    public double NoiseOffset { get; init; }

    /// <summary>The net predicts velocity instead of noise: as the base model's scheduler_config.json says, unless the inputs do.</summary>
    public bool VelocityPrediction { get; init; }

    /// <summary>Rescale the schedule so that its last step is pure noise.</summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <summary>Keep only block inputs for the backward pass and compute the rest again.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Seed of all randomness.</summary>
    public long Seed { get; init; }

    /// <summary>Text vectors each trigger word stands for.</summary>
    public int TokenVectors { get; init; } = 2;

    /// <summary>Trigger words.</summary>
    public int TokenWords { get; init; } = 1;

    /// <summary>The base model's schedule as this training changes it: what it trains, samples and is later drawn with.</summary>
    public SchedulerConfig ScheduleFrom(SchedulerConfig ofBase) =>
        ofBase with
        {
            PredictsVelocity = VelocityPrediction,
            ZeroTerminalSnr = ZeroTerminalSnr || ofBase.ZeroTerminalSnr,
        };

    /// <param name="velocityPrediction">What the base model predicts; the inputs may say otherwise.</param>
    /// <exception cref="TrainingException">Settings that cannot work together.</exception>
    public static TrainingSettings From(TrainingInputs inputs, int pictures, bool velocityPrediction)
    {
        var velocity = inputs.PredictionType is { } asked ? asked == "v_prediction" : velocityPrediction;
        if (inputs.ZeroTerminalSnr && !velocity)
        {
            throw new TrainingException(
                "Input 'zero_terminal_snr' is true, but the net would predict noise "
                    + $"({(inputs.PredictionType is null ? "prediction_type 'epsilon' in the base model's scheduler_config.json" : "input 'prediction_type' is 'epsilon'")}): "
                    + "at the last timestep there would be nothing to learn from. Set zero_terminal_snr to false, or train with "
                    + "prediction_type 'v_prediction'."
            );
        }
        var perStep = (long)inputs.TrainBatchSize * inputs.GradientAccumulationSteps;
        var steps = (int)Math.Min(inputs.MaxTrainSteps, (inputs.NumTrainEpochs * (long)pictures + perStep - 1) / perStep);
        return new TrainingSettings
        {
            Steps = steps,
            Accumulate = inputs.GradientAccumulationSteps,
            Lora = inputs.IsLora
                ? new LoraSettings(
                    inputs.LoraRank,
                    inputs.LoraAlpha ?? inputs.LoraRank,
                    LoraSettings.Targets(inputs.LoraTargets),
                    inputs.UseDora
                )
                : null,
            Rate = inputs.IsLora ? inputs.LoraLr : inputs.UnetLearningRate,
            TokenRate = inputs.TiLr,
            Pivot = (int)Math.Floor(inputs.TiFraction * steps),
            Schedule = new LearningRateSchedule(inputs.LrScheduler, inputs.LrWarmupSteps, steps, inputs.LrCycles, inputs.LrPower),
            Optimizer = inputs.Optimizer,
            MaxGradientNorm = inputs.MaxGradNorm,
            SnrGamma = inputs.SnrGamma,
            NoiseOffset = inputs.NoiseOffset,
            VelocityPrediction = velocity,
            ZeroTerminalSnr = inputs.ZeroTerminalSnr,
            GradientCheckpointing = inputs.GradientCheckpointing,
            Seed = inputs.Seed,
            TokenVectors = inputs.VectorsPerToken,
            TokenWords = new TriggerWords(inputs.TokenString).All.Count,
        };
    }

    /// <summary>SHA-256 over all settings: a checkpoint of other settings is not resumed from.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(SdxlJson.Serialize(this))));
}

/// <summary>What the LoRA is like.</summary>
/// <param name="Rank">Its capacity, 1 or more; 16 to 32 is usual for a subject.</param>
/// <param name="Alpha">The change is scaled by Alpha / Rank.</param>
/// <param name="TargetNames">Ends of the names of the layers that get one.</param>
/// <param name="Dora">Train row lengths apart from directions: nearer to a full fine-tune at low ranks, slower.</param>
public sealed record LoraSettings(int Rank, double Alpha, IReadOnlyList<string> TargetNames, bool Dora = false)
{
    private static readonly string[] s_attention = ["to_q", "to_k", "to_v", "to_out.0"];
    private static readonly string[] s_linear = [.. s_attention, "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"];

    public double Scale => Alpha / Rank;

    /// <summary>The layers that the input word names: 'attention' or 'linear'.</summary>
    public static IReadOnlyList<string> Targets(string word) => word switch
    {
        "attention" => s_attention,
        "linear" => s_linear,
        _ => throw new TrainingException($"LoRA targets '{word}' are unknown. Choose 'attention' or 'linear'."),
    };

    /// <summary>Whether a module of the U-Net gets a LoRA.</summary>
    public bool Covers(string module) => TargetNames.Any(t => module == t || module.EndsWith("." + t, StringComparison.Ordinal));
}
