using System.Text.Json;
using Sdxl.Diffusion.Nets;

namespace Sdxl.Diffusion.Schedulers;

/// <summary>
/// A model's scheduler_config.json: the noise schedule it was trained with. Every sampler is built from this, never from another sampler's
/// settings.
/// </summary>
public sealed record SchedulerConfig
{
    public int TrainTimesteps { get; init; } = 1000;
    public double BetaStart { get; init; } = 0.00085;
    public double BetaEnd { get; init; } = 0.012;

    /// <summary>"scaled_linear" (SDXL) or "linear".</summary>
    public string BetaSchedule { get; init; } = "scaled_linear";

    /// <summary>True: the U-Net predicts velocity, alpha · noise - sigma · picture; false: the noise.</summary>
    public bool PredictsVelocity { get; init; }

    /// <summary>"leading" (SDXL), "linspace" or "trailing": which timesteps a sampler visits.</summary>
    public string TimestepSpacing { get; init; } = "leading";

    public int StepsOffset { get; init; }

    /// <summary>Betas rescaled so that the last timestep is pure noise (Lin et al. 2023).</summary>
    public bool ZeroTerminalSnr { get; init; }

    /// <summary>True: at the end DDIM and PNDM take the signal for 1 instead of that of timestep 0.</summary>
    public bool SetAlphaToOne { get; init; }

    /// <summary>The cumulated alphas of this configuration.</summary>
    public NoiseSchedule Noise() =>
        NoiseSchedule.Create(TrainTimesteps, BetaStart, BetaEnd, BetaSchedule, ZeroTerminalSnr, PredictsVelocity);

    public static SchedulerConfig Load(string path) => From(JsonConfig.Load(path));

    public static SchedulerConfig Parse(JsonElement json, string source) => From(new JsonConfig(json, source));

    private static SchedulerConfig From(JsonConfig json)
    {
        var prediction = json.Text("prediction_type", "epsilon");
        json.Require("prediction_type", prediction is "epsilon" or "v_prediction", "epsilon and v_prediction");
        var betas = json.Text("beta_schedule", "linear");
        json.Require("beta_schedule", betas is "scaled_linear" or "linear", "scaled_linear and linear");
        var spacing = json.Text("timestep_spacing", "leading");
        json.Require("timestep_spacing", spacing is "leading" or "linspace" or "trailing", "leading, linspace and trailing");
        json.Require("trained_betas", !json.Has("trained_betas"), "null");
        return new SchedulerConfig
        {
            TrainTimesteps = json.Int("num_train_timesteps", 1000),
            BetaStart = json.Double("beta_start", 0.0001),
            BetaEnd = json.Double("beta_end", 0.02),
            BetaSchedule = betas,
            PredictsVelocity = prediction == "v_prediction",
            TimestepSpacing = spacing,
            StepsOffset = json.Int("steps_offset", 0),
            ZeroTerminalSnr = json.Bool("rescale_betas_zero_snr", false),
            SetAlphaToOne = json.Bool("set_alpha_to_one", false),
        };
    }
}
