using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Bases;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;

namespace Sdxl.Core.Trainings;

/// <summary>
/// All inputs of a training, checked, with every default applied. Names, types and general defaults are Replicate's (stability-ai/sdxl),
/// then come the extras of this trainer. What each means stands in <see cref="Fields"/>; that table is also the command line's help and the
/// HTTP API's schema.
/// </summary>
public sealed record TrainingInputs
{
    private const int MaxTriggerWords = 8;
    private const int MaxSampleLetters = 10_000; // a hundred prompts of a usual length; each is drawn at every sampling

    private static readonly string[] s_rates = ["unet_learning_rate", "ti_lr", "lora_lr"];

    /// <summary>The row of each input, in display order.</summary>
    public static IReadOnlyList<InputField> Fields { get; } =
    [
        new(
            "seed",
            InputType.Integer,
            null,
            "Seed of all randomness: the same seed, pictures and settings give the same weights, on a processor to the bit (a GPU sums in "
                + "changing order). Unset or -1: one is derived from the training's id and reported.",
            0,
            (1L << 53) - 1,
            UnsetValue: -1
        ),
        new(
            "resolution",
            InputType.Integer,
            512,
            "Side of the square training pictures in pixels. Smaller pictures are upscaled.",
            64,
            2048,
            MultipleOf: 8
        ),
        new("train_batch_size", InputType.Integer, 4, "Pictures a step. More is steadier and needs more memory.", 1, 64),
        new(
            "num_train_epochs",
            InputType.Integer,
            4000,
            "Passes over the pictures; only counts if it ends before max_train_steps.",
            1,
            1_000_000
        ),
        new("max_train_steps", InputType.Integer, 1000, "Training steps in all; 1000 suits 5 to 20 pictures.", 1, 1_000_000),
        new(
            "is_lora",
            InputType.Boolean,
            true,
            "true: train a LoRA (small file, fast). false: fine-tune the whole U-Net (large file, 80 GB GPU for real SDXL)."
        ),
        new(
            "unet_learning_rate",
            InputType.Number,
            1e-6,
            "Learning rate of the U-Net in a full fine-tune; 1e-6 to 1e-5 is usual. No effect with is_lora.",
            0,
            1
        ),
        new("ti_lr", InputType.Number, 3e-4, "Learning rate of the trigger word's vectors (textual inversion).", 0, 1),
        new("lora_lr", InputType.Number, 1e-4, "Learning rate of the LoRA matrices. No effect without is_lora.", 0, 1),
        new(
            "lr_scheduler",
            InputType.String,
            "constant",
            "How the learning rates change over the run, after the warm-up.",
            Choices: ["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial"]
        ),
        new(
            "lr_warmup_steps",
            InputType.Integer,
            100,
            "Steps over which the learning rates rise from 0. With 'constant', too, it applies when above 0.",
            0,
            1_000_000
        ),
        new(
            "lr_cycles",
            InputType.Integer,
            3,
            "Times that lr_scheduler 'cosine_with_restarts' falls to 0; each restart gives a run that is stuck another chance. No effect "
                + "with the others.",
            1,
            1000
        ),
        new(
            "lr_power",
            InputType.Number,
            2.0,
            "Exponent of lr_scheduler 'polynomial': 1 is a straight line, 2 falls fast at first and ends gently. No effect with the "
                + "others.",
            0.1,
            10
        ),
        new(
            "token_string",
            InputType.String,
            "TOK",
            "Trigger word: what the subject is called in captions and prompts. No ':' and no ','. Several subjects: words separated by '|' "
                + "(TOK|CAT); each gets vectors of its own, and each picture's caption names those in it (a caption without any gets the "
                + "prefix).",
            Maximum: 1000
        ),
        new(
            "caption_prefix",
            InputType.String,
            "a photo of TOK",
            "Put in front of automatic captions and of your own that name no trigger word; must contain one (else the first is added).",
            Maximum: 1000
        ),
        new(
            "mask_target_prompts",
            InputType.String,
            null,
            "What matters in the pictures, in words, several separated by '|': training looks there. Unset: everything counts alike.",
            Maximum: 1000
        ),
        new(
            "crop_based_on_salience",
            InputType.Boolean,
            true,
            "Crop to the square around what matters (mask or face) rather than around the centre."
        ),
        new("use_face_detection_instead", InputType.Boolean, false, "Masks from face detection instead of mask_target_prompts."),
        new("clipseg_temperature", InputType.Number, 1.0, "How soft text masks are; 0.5 is sharper.", 0.01, 10),
        new("verbose", InputType.Boolean, true, "Write a log line for every progress event; false: only stages, warnings and results."),
        new(
            "checkpointing_steps",
            InputType.Integer,
            200,
            "Steps between checkpoints from which a lost worker's training is resumed; very large: only at the end.",
            1,
            1_000_000_000
        ),
        new("lora_rank", InputType.Integer, 32, "Rank of the LoRA: its capacity and file size.", 1, 512),
        new(
            "input_images_filetype",
            InputType.String,
            "infer",
            "Accepted for compatibility; the archive's kind is always told by its content.",
            Choices: ["infer", "zip", "tar"]
        ),
        // Extras of this trainer, below Replicate's.
        new("lora_alpha", InputType.Number, null, "Scale of the LoRA is alpha / rank. Unset: equal to the rank.", 0.001, 4096),
        new(
            "lora_targets",
            InputType.String,
            "attention",
            "Layers that get a LoRA: 'attention' (q, k, v, out) or 'linear' (all linear layers of the transformer blocks: stronger, "
                + "larger).",
            Choices: ["attention", "linear"]
        ),
        new("use_dora", InputType.Boolean, false, "Weight-decomposed LoRA (DoRA): closer to a full fine-tune at low rank, slower."),
        new(
            "optimizer",
            InputType.String,
            "adamw",
            "adamw: the default. prodigy: finds its own rate (the rates are 1 unless you give them). adafactor: least memory. lion: sign "
                + "updates, a third of AdamW's rate.",
            Choices: ["adamw", "prodigy", "adafactor", "lion"]
        ),
        new(
            "snr_gamma",
            InputType.Number,
            null,
            "Min-SNR loss weighting, 5 is usual: evens out the timesteps, converges faster. Unset: off.",
            0.001,
            1000
        ),
        new(
            "noise_offset",
            InputType.Number,
            0.0,
            "Strength of a per-channel noise offset: allows very dark and bright pictures. 0.05 to 0.1 is usual.",
            0,
            1
        ),
        new(
            "prediction_type",
            InputType.String,
            null,
            "What the net learns to predict. Unset: what the base model does (its scheduler_config.json), right for nearly every run. "
                + "'v_prediction' moves a base that predicts noise to velocity, as zero_terminal_snr needs: only for a full fine-tune or a "
                + "LoRA of many steps.",
            Choices: ["epsilon", "v_prediction"]
        ),
        new(
            "zero_terminal_snr",
            InputType.Boolean,
            false,
            "Rescale the noise schedule so that its last step is pure noise: pictures may then be very dark or bright as a whole. Needs "
                + "v-prediction (of the base model, or prediction_type)."
        ),
        new("gradient_accumulation_steps", InputType.Integer, 1, "Batches a step: a larger batch in the same memory.", 1, 1024),
        new("max_grad_norm", InputType.Number, 1.0, "Gradients are clipped to this norm; 0 = off.", 0, 1e6),
        new(
            "gradient_checkpointing",
            InputType.Boolean,
            false,
            "Recompute activations in the backward pass: a third slower, less than half the memory."
        ),
        new("vectors_per_token", InputType.Integer, 2, "Text vectors that each trigger word stands for.", 1, 16),
        new(
            "ti_fraction",
            InputType.Number,
            0.5,
            "Part of the steps in which the trigger word's vectors train (then they are frozen: the pivot).",
            0,
            1
        ),
        new(
            "sample_prompts",
            InputType.String,
            null,
            "Prompts drawn from fixed seeds during training, several separated by '|'. Unset: none.",
            Maximum: MaxSampleLetters
        ),
        new("sample_every_steps", InputType.Integer, 200, "Steps between sample pictures.", 1, 1_000_000_000),
        new(
            "keep_checkpoints",
            InputType.Boolean,
            false,
            "Keep the weights with every row of sample pictures: each can be downloaded, published and drawn with. Each takes as much "
                + "storage as a finished version (real SDXL at rank 32: about 560 MB) until the run's leftovers are removed. LoRA only."
        ),
        new(
            "held_out_pictures",
            InputType.Integer,
            0,
            "Pictures that are not trained on but measured by, at every row of sample pictures and at the end: the step that does best on "
                + "them is recommended. 1 or 2 of 8 or more tell enough; never more than half are held out.",
            0,
            100
        ),
    ];

    public long Seed { get; init; }
    public required int Resolution { get; init; }
    public required int TrainBatchSize { get; init; }
    public required int NumTrainEpochs { get; init; }
    public required int MaxTrainSteps { get; init; }
    public required bool IsLora { get; init; }
    public required double UnetLearningRate { get; init; }
    public required double TiLr { get; init; }
    public required double LoraLr { get; init; }
    public required string LrScheduler { get; init; }
    public required int LrWarmupSteps { get; init; }
    public int LrCycles { get; init; } = 3;
    public double LrPower { get; init; } = 2;
    public required string TokenString { get; init; }
    public required string CaptionPrefix { get; init; }
    public string? MaskTargetPrompts { get; init; }
    public required bool CropBasedOnSalience { get; init; }
    public required bool UseFaceDetectionInstead { get; init; }
    public required double ClipsegTemperature { get; init; }
    public required bool Verbose { get; init; }
    public required int CheckpointingSteps { get; init; }
    public required int LoraRank { get; init; }
    public required string InputImagesFiletype { get; init; }
    public double? LoraAlpha { get; init; }
    public required string LoraTargets { get; init; }
    public required bool UseDora { get; init; }
    public required string Optimizer { get; init; }
    public double? SnrGamma { get; init; }
    public required double NoiseOffset { get; init; }
    public string? PredictionType { get; init; }
    public required bool ZeroTerminalSnr { get; init; }
    public required int GradientAccumulationSteps { get; init; }
    public required double MaxGradNorm { get; init; }
    public required bool GradientCheckpointing { get; init; }
    public required int VectorsPerToken { get; init; }
    public required double TiFraction { get; init; }
    public string? SamplePrompts { get; init; }
    public required int SampleEverySteps { get; init; }

    /// <summary>Not written where it is false: versions of before it was there keep their ids.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool KeepCheckpoints { get; init; }

    /// <summary>Not written where it is 0, for the same reason.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int HeldOutPictures { get; init; }

    /// <summary>Whether it has rows of sample pictures whose weights are kept.</summary>
    public bool KeepsWeights() => KeepCheckpoints && IsLora && SamplePrompts is not null;

    /// <summary>Checks <paramref name="given"/> and fills in defaults: the base model's, then the general ones.</summary>
    /// <param name="given">What the user said, by input name; <c>input_images</c> is accepted and left to the caller.</param>
    /// <param name="trainingId">The training's id: an unset seed is derived from it.</param>
    /// <exception cref="InputException">With every problem found.</exception>
    public static TrainingInputs Read(JsonObject given, BaseManifest baseModel, string trainingId)
    {
        var problems = new List<InputProblem>();
        var values = new JsonObject();
        try
        {
            values = InputReader.Read(Fields, given, baseModel.TrainingDefaults, "input_images");
        }
        catch (InputException e)
        {
            problems.AddRange(e.Problems);
        }
        if (given["token_string"] is JsonValue t && TriggerWordProblem(t.ToString()) is { } sentence)
            problems.Add(new InputProblem("token_string", sentence));
        if (problems.Count > 0)
            throw new InputException(problems);
        // The defaults are AdamW's rates, a base model's own ones included; prodigy finds its rate and wants 1 in their place.
        foreach (var rate in values["optimizer"]!.GetValue<string>() == "prodigy" ? s_rates : [])
        {
            if (given[rate] is not JsonValue said || said.ToString().Trim().Length == 0)
                values[rate] = 1.0;
        }
        if (!values.ContainsKey("seed"))
            values["seed"] = Identity.JobId.SeedOf(trainingId);
        // "a photo of TOK" is the default for the default trigger word; another word takes TOK's place in it.
        if (given["caption_prefix"] is null && !baseModel.TrainingDefaults.ContainsKey("caption_prefix"))
            values["caption_prefix"] = $"a photo of {new Captions.TriggerWords(values["token_string"]!.GetValue<string>()).First}";
        return values.Deserialize<TrainingInputs>(SdxlJson.Options)!;
    }

    /// <summary>Inputs that were given but change nothing in the chosen mode: named in the log, never silently dropped.</summary>
    public static IReadOnlyList<string> WithoutEffect(JsonObject given, TrainingInputs effective)
    {
        string[] loraOnly = ["lora_lr", "lora_rank", "lora_alpha", "lora_targets", "use_dora", "keep_checkpoints"];
        var idle = new List<string>();
        foreach (var name in effective.IsLora ? ["unet_learning_rate"] : loraOnly)
        {
            if (given.ContainsKey(name))
                idle.Add($"Input '{name}' has no effect {(effective.IsLora ? "while is_lora is true" : "while is_lora is false")}.");
        }
        if (given.ContainsKey("lr_cycles") && effective.LrScheduler != "cosine_with_restarts")
            idle.Add("Input 'lr_cycles' has no effect without lr_scheduler cosine_with_restarts.");
        if (given.ContainsKey("lr_power") && effective.LrScheduler != "polynomial")
            idle.Add("Input 'lr_power' has no effect without lr_scheduler polynomial.");
        if (given.ContainsKey("clipseg_temperature") && (effective.MaskTargetPrompts is null || effective.UseFaceDetectionInstead))
            idle.Add("Input 'clipseg_temperature' has no effect without mask_target_prompts.");
        if (given.ContainsKey("mask_target_prompts") && effective.UseFaceDetectionInstead)
            idle.Add("Input 'mask_target_prompts' has no effect while use_face_detection_instead is true.");
        if (given.ContainsKey("sample_every_steps") && effective.SamplePrompts is null)
            idle.Add("Input 'sample_every_steps' has no effect without sample_prompts.");
        if (effective is { KeepCheckpoints: true, IsLora: true, SamplePrompts: null })
            idle.Add("Input 'keep_checkpoints' has no effect without sample_prompts: the weights are kept with their pictures.");
        foreach (var (name, text) in new[] { ("caption_prefix", effective.CaptionPrefix), ("sample_prompts", effective.SamplePrompts) })
        {
            if (text is not null && Captions.CaptionMarkup.IsMarked(text))
                idle.Add($"Weights \"(word:1.3)\" and tags \"<lora:…>\" in '{name}' have no effect: the words alone are read.");
        }
        return idle;
    }

    /// <summary>Why a text cannot be the trigger word (or several, separated by '|'), or null if it can.</summary>
    public static string? TriggerWordProblem(string text)
    {
        var words = text.Split(Captions.TriggerWords.Separator, StringSplitOptions.TrimEntries);
        if (words.Select(WordProblem).FirstOrDefault(p => p is not null) is { } problem)
            return problem;
        if (words.GroupBy(w => w, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            return $"Input 'token_string' names '{twice.Key}' twice. Give each subject a word of its own, for example TOK|CAT.";
        return words.Length > MaxTriggerWords
            ? $"Input 'token_string' names {words.Length} words; at most {MaxTriggerWords} are allowed, because a caption has room for few."
            : null;
    }

    private static string? WordProblem(string word) =>
        word switch
        {
            "" => "Input 'token_string' is empty. Choose a word for the subject, for example TOK.",
            var w when w.Contains(':') || w.Contains(',') =>
                $"Input 'token_string' is '{w}': a trigger word has no ':' and no ','. Leave them out, for example TOK; several words are "
                    + "joined by '|', TOK|CAT.",
            var w when w.Contains('<') || w.Contains('>') =>
                $"Input 'token_string' is '{w}': '<' and '>' are taken for the trained vectors (<s0><s1>). Choose a plain word, for "
                    + "example TOK.",
            var w when !char.IsLetterOrDigit(w[0]) || !char.IsLetterOrDigit(w[^1]) =>
                $"Input 'token_string' is '{w}': it must begin and end with a letter or digit so that it can be found in captions.",
            var w when w.Length > 64 => $"Input 'token_string' has {w.Length} characters; at most 64 are allowed.",
            _ => null,
        };
}
