using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;

namespace Sdxl.Core.Predictions;

/// <summary>
/// All inputs of a prediction, checked, with every default applied. Names and defaults are Replicate's, but lora_scale is 1 (what was
/// trained).
/// </summary>
public sealed record PredictionInputs
{
    /// <summary>The largest whole number that every JSON reader keeps exactly.</summary>
    public const long MaxSeed = (1L << 53) - 1;

    /// <summary>Far more than the text encoders read; a limit for what records and messages have to carry.</summary>
    private const int MaxPromptLetters = 10_000;

    private const string NoRefiner = "no_refiner";

    public static IReadOnlyList<InputField> Fields { get; } =
    [
        new("prompt", InputType.String, "An astronaut riding a rainbow unicorn",
            "What to draw. The trigger word stands for the trained subject; (word:1.3) gives it weight.", Maximum: MaxPromptLetters),
        new("negative_prompt", InputType.String, "", "What to keep out of the picture.", Maximum: MaxPromptLetters),
        new(
            "image",
            InputType.String,
            null,
            "Picture to start from (image to image, inpainting): an http(s) address, a data URI, container/path of a blob, or a file."
        ),
        new("mask", InputType.String, null, "With image: what to repaint, white = repaint; given as the image is."),
        new("width", InputType.Integer, 1024, "Width in pixels.", 64, 4096, MultipleOf: 8),
        new("height", InputType.Integer, 1024, "Height in pixels.", 64, 4096, MultipleOf: 8),
        new("num_outputs", InputType.Integer, 1, "How many pictures; picture k is drawn with seed + k and can be repeated alone.", 1, 16),
        new(
            "scheduler",
            InputType.String,
            "K_EULER",
            "Sampler.",
            Choices: ["DDIM", "DPMSolverMultistep", "HeunDiscrete", "KarrasDPM", "K_EULER_ANCESTRAL", "K_EULER", "PNDM"]
        ),
        new("num_inference_steps", InputType.Integer, 50, "Denoising steps.", 1, 500),
        new("guidance_scale", InputType.Number, 7.5, "How closely the prompt is followed; 1 = no guidance.", 1, 50),
        new("guidance_rescale", InputType.Number, 0.0, "Corrects over-exposure at high guidance, 0.7 is usual; 0 = off.", 0, 1),
        new("prompt_strength", InputType.Number, 0.8, "With image: 1 = ignore it, 0 = keep it.", 0, 1),
        new(
            "seed",
            InputType.Integer,
            null,
            "Seed of the first picture. Unset or -1: derived from the prediction's id and reported.",
            0,
            MaxSeed,
            UnsetValue: -1
        ),
        new(
            "refine",
            InputType.String,
            NoRefiner,
            "Use of the refiner model.",
            Choices: [NoRefiner, "expert_ensemble_refiner", "base_image_refiner"]
        ),
        new("high_noise_frac", InputType.Number, 0.8, "expert_ensemble_refiner: part of the steps that the base model does.", 0, 1),
        new("refine_steps", InputType.Integer, null, "base_image_refiner: steps; unset = num_inference_steps.", 1, 500),
        new("apply_watermark", InputType.Boolean, true, "Mark pictures invisibly as generated (pictures 256 pixels and wider)."),
        new("lora_scale", InputType.Number, 1.0, "Strength of the fine-tune; below 0 it is subtracted.", -4, 4),
        new("replicate_weights", InputType.String, null,
            "Fine-tune to apply to the base model: trained_model.tar, a LoRA (LoCon, LoHa, LoKr, DoRA) of any program, an embedding, "
            + "a checkpoint; given as the image is."),
        new("disable_safety_checker", InputType.Boolean, false, "Do not check the pictures. (The toy has no checker; the real SDXL does.)"),
    ];

    public required string Prompt { get; init; }
    public required string NegativePrompt { get; init; }
    public string? Image { get; init; }
    public string? Mask { get; init; }
    public required int Width { get; init; }
    public required int Height { get; init; }
    public required int NumOutputs { get; init; }
    public required string Scheduler { get; init; }
    public required int NumInferenceSteps { get; init; }
    public required double GuidanceScale { get; init; }
    public required double GuidanceRescale { get; init; }
    public required double PromptStrength { get; init; }
    public long Seed { get; init; }
    public required string Refine { get; init; }
    public required double HighNoiseFrac { get; init; }
    public int? RefineSteps { get; init; }
    public required bool ApplyWatermark { get; init; }
    public required double LoraScale { get; init; }
    public string? ReplicateWeights { get; init; }
    public required bool DisableSafetyChecker { get; init; }

    /// <summary>What of the base model this prediction takes.</summary>
    public BaseParts Needs() =>
        BaseParts.Nets
        | (Refine == NoRefiner ? BaseParts.None : BaseParts.Refiner)
        | (DisableSafetyChecker ? BaseParts.None : BaseParts.SafetyChecker);

    /// <summary>Checks <paramref name="given"/> and fills in defaults: the base model's, then the general ones.</summary>
    /// <param name="given">What the user said, by input name.</param>
    /// <param name="predictionId">The prediction's id: an unset seed is derived from it.</param>
    /// <param name="besideVersion">A published version is to be drawn with.</param>
    /// <exception cref="InputException">With every problem found.</exception>
    public static PredictionInputs Read(JsonObject given, BaseManifest baseModel, string predictionId, bool besideVersion = false)
    {
        var values = InputReader.Read(Fields, given, baseModel.PredictionDefaults);
        var problems = new List<InputProblem>();
        // Picture k has seed + k, and each must be one that can be given again.
        var outputs = values["num_outputs"].Deserialize<long>();
        var highest = MaxSeed - (outputs - 1);
        if (!values.ContainsKey("seed"))
            values["seed"] = Math.Min(Identity.JobId.SeedOf(predictionId), highest);
        else if (values["seed"].Deserialize<long>() > highest)
            problems.Add(
                new(
                    "seed",
                    $"Input 'seed' is {values["seed"]}; with {outputs} outputs it must be {highest} or less, so that the last picture's "
                        + "seed can be given again."
                )
            );
        if (IsGiven("mask") && !IsGiven("image"))
            problems.Add(
                new("mask", "Input 'mask' was given without 'image'. Give the picture to repaint as 'image', or leave 'mask' out.")
            );
        if (besideVersion && IsGiven("replicate_weights"))
            problems.Add(
                new(
                    "replicate_weights",
                    "Input 'replicate_weights' was given together with 'version'; one fine-tune is applied at a time. Leave one of them "
                        + "out."
                )
            );
        if (problems.Count > 0)
            throw new InputException(problems);
        return values.Deserialize<PredictionInputs>(SdxlJson.Options)!;

        bool IsGiven(string name) => !string.IsNullOrWhiteSpace(values[name]?.GetValue<string>());
    }
}
