using Sdxl.Diffusion.Schedulers;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>What to draw. Sizes in pixels, multiples of 8; names as in the HTTP API.</summary>
public sealed record GenerationSettings
{
    /// <summary>The trigger word in it stands for the trained subject, on word borders, in any case.</summary>
    public required string Prompt { get; init; }

    /// <summary>What to keep out; the trigger word counts here too.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>Multiple of 8. SDXL was trained around 1024 x 1024.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Multiple of 8.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Pictures; picture k is drawn with <see cref="Seed"/> + k, alone, so it can be repeated alone.</summary>
    public int NumOutputs { get; init; } = 1;

    /// <summary>One of <see cref="SamplerName.All"/>.</summary>
    public string Scheduler { get; init; } = SamplerName.Default;

    /// <summary>Denoising steps, 1..1000.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>How closely the prompt is followed; up to 1 there is no guidance (and half the work).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>0..1; 0.7 corrects over-exposure at high guidance (Lin et al. 2023, section 3.4); 0 is off.</summary>
    public double GuidanceRescale { get; init; }

    /// <summary>Seed of the first picture.</summary>
    public long Seed { get; init; }

    /// <summary>A picture file (PNG, JPEG, WebP, …) to start from; scaled and cut to Width x Height.</summary>
    public byte[]? Image { get; init; }

    /// <summary>With <see cref="Image"/>: what to repaint, white = repaint; scaled and cut likewise.</summary>
    public byte[]? Mask { get; init; }

    /// <summary>With <see cref="Image"/>: 1 ignores it, 0 keeps it.</summary>
    public double PromptStrength { get; init; } = 0.8;

    /// <summary>
    /// "no_refiner", "expert_ensemble_refiner" (the refiner does the last steps) or "base_image_refiner" (a second pass over the finished
    /// latents).
    /// </summary>
    public string Refine { get; init; } = RefineMode.None;

    /// <summary>expert_ensemble_refiner: part of the noise levels that the base model walks, 0..1.</summary>
    public double HighNoiseFrac { get; init; } = 0.8;

    /// <summary>base_image_refiner: steps of its schedule; null: <see cref="Steps"/>.</summary>
    public int? RefineSteps { get; init; }

    /// <summary>base_image_refiner: how much of its schedule it walks, 0..1.</summary>
    public double RefineStrength { get; init; } = 0.3;

    /// <summary>What the refiner is told the picture is worth.</summary>
    public double AestheticScore { get; init; } = 6.0;

    /// <summary>The same for the negative prompt.</summary>
    public double NegativeAestheticScore { get; init; } = 2.5;

    /// <summary>Mark pictures invisibly as generated (only those at least 256 pixels wide).</summary>
    public bool ApplyWatermark { get; init; } = true;

    /// <summary>Check pictures and replace unsafe ones by black, where the base model has a safety checker.</summary>
    public bool CheckSafety { get; init; } = true;

    /// <summary>Throws one exception that lists every value out of range.</summary>
    public void Validate()
    {
        var problems = new List<string>();
        void Require(bool holds, string problem)
        {
            if (!holds)
                problems.Add(problem);
        }
        Require(Width >= 8 && Width % 8 == 0, $"Width is {Width}; expected a multiple of 8.");
        Require(Height >= 8 && Height % 8 == 0, $"Height is {Height}; expected a multiple of 8.");
        Require(NumOutputs >= 1, $"NumOutputs is {NumOutputs}; expected at least 1.");
        Require(Steps is >= 1 and <= 1000, $"Steps is {Steps}; expected 1 to 1000.");
        Require(SamplerName.All.Contains(Scheduler), $"Scheduler is '{Scheduler}'; expected one of {string.Join(", ", SamplerName.All)}.");
        Require(PromptStrength is >= 0 and <= 1, $"PromptStrength is {PromptStrength}; expected 0 to 1.");
        Require(HighNoiseFrac is >= 0 and <= 1, $"HighNoiseFrac is {HighNoiseFrac}; expected 0 to 1.");
        Require(RefineStrength is >= 0 and <= 1, $"RefineStrength is {RefineStrength}; expected 0 to 1.");
        Require(RefineSteps is null or (>= 1 and <= 1000), $"RefineSteps is {RefineSteps}; expected 1 to 1000.");
        Require(double.IsFinite(GuidanceScale), $"GuidanceScale is {GuidanceScale}; expected a number, 7.5 is usual.");
        Require(GuidanceRescale is >= 0 and <= 1, $"GuidanceRescale is {GuidanceRescale}; expected 0 to 1.");
        Require(RefineMode.All.Contains(Refine), $"Refine is '{Refine}'; expected one of {string.Join(", ", RefineMode.All)}.");
        Require(Mask is null || Image is not null, "Mask was given without Image.");
        if (problems.Count > 0)
            throw new ArgumentException($"These settings cannot be drawn: {string.Join(" ", problems)}");
    }
}

/// <summary>Uses of the refiner, as the HTTP API names them.</summary>
public static class RefineMode
{
    public const string None = "no_refiner";
    public const string ExpertEnsemble = "expert_ensemble_refiner";
    public const string BaseImage = "base_image_refiner";

    public static IReadOnlyList<string> All { get; } = [None, ExpertEnsemble, BaseImage];
}
