using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>What each input of a training does to its settings.</summary>
public sealed class TrainingSettingsTests
{
    private const int Pictures = 10;

    /// <summary>Inputs that decide the settings: the value given (beside others it needs) and what it must become.</summary>
    private static readonly Dictionary<string, (string Given, Func<TrainingSettings, object?> Of, object? Expected)> s_rows = new()
    {
        ["seed"] = ("""{"seed": 77}""", s => s.Seed, 77L),
        ["train_batch_size"] = ("""{"train_batch_size": 3, "num_train_epochs": 5}""", s => s.Steps, 17), // 5 x 10 pictures in batches of 3
        ["num_train_epochs"] = ("""{"num_train_epochs": 6, "train_batch_size": 4}""", s => s.Steps, 15),
        ["max_train_steps"] = ("""{"max_train_steps": 123}""", s => s.Steps, 123),
        ["is_lora"] = ("""{"is_lora": false}""", s => s.Lora, null),
        ["unet_learning_rate"] = ("""{"unet_learning_rate": 3e-5, "is_lora": false}""", s => s.Rate, 3e-5),
        ["ti_lr"] = ("""{"ti_lr": 0.07}""", s => s.TokenRate, 0.07),
        ["lora_lr"] = ("""{"lora_lr": 0.03}""", s => s.Rate, 0.03),
        ["lr_scheduler"] = ("""{"lr_scheduler": "cosine"}""", s => s.Schedule.Kind, "cosine"),
        ["lr_warmup_steps"] = ("""{"lr_warmup_steps": 31}""", s => s.Schedule.WarmupSteps, 31),
        ["lr_cycles"] = ("""{"lr_cycles": 7, "lr_scheduler": "cosine_with_restarts"}""", s => s.Schedule.Cycles, 7),
        ["lr_power"] = ("""{"lr_power": 1.5, "lr_scheduler": "polynomial"}""", s => s.Schedule.Power, 1.5),
        ["token_string"] = ("""{"token_string": "TOK|CAT|DOG"}""", s => s.TokenWords, 3),
        ["lora_rank"] = ("""{"lora_rank": 5}""", s => (s.Lora!.Rank, s.Lora.Alpha), (5, 5.0)),
        ["lora_alpha"] = ("""{"lora_alpha": 3, "lora_rank": 6}""", s => s.Lora!.Scale, 0.5),
        ["lora_targets"] = ("""{"lora_targets": "linear"}""", s => s.Lora!.Covers("a.ff.net.2"), true),
        ["use_dora"] = ("""{"use_dora": true}""", s => s.Lora!.Dora, true),
        ["optimizer"] = ("""{"optimizer": "lion"}""", s => s.Optimizer, "lion"),
        ["snr_gamma"] = ("""{"snr_gamma": 5}""", s => s.SnrGamma, 5.0),
        ["noise_offset"] = ("""{"noise_offset": 0.07}""", s => s.NoiseOffset, 0.07),
        ["prediction_type"] = ("""{"prediction_type": "v_prediction"}""", s => s.VelocityPrediction, true),
        ["zero_terminal_snr"] = (
            """{"zero_terminal_snr": true, "prediction_type": "v_prediction"}""",
            s => (s.ZeroTerminalSnr, s.ScheduleFrom(new SchedulerConfig()).ZeroTerminalSnr),
            (true, true)
        ),
        ["gradient_accumulation_steps"] = ("""{"gradient_accumulation_steps": 3}""", s => s.Accumulate, 3),
        ["max_grad_norm"] = ("""{"max_grad_norm": 0.25}""", s => s.MaxGradientNorm, 0.25),
        ["gradient_checkpointing"] = ("""{"gradient_checkpointing": true}""", s => s.GradientCheckpointing, true),
        ["vectors_per_token"] = ("""{"vectors_per_token": 3}""", s => s.TokenVectors, 3),
        ["ti_fraction"] = ("""{"ti_fraction": 0.25, "max_train_steps": 100}""", s => s.Pivot, 25),
    };

    /// <summary>Inputs that change no number of a step: they are read where pictures are prepared, logged, saved or drawn.</summary>
    private static readonly string[] s_elsewhere =
    [
        "resolution",
        "caption_prefix",
        "mask_target_prompts",
        "crop_based_on_salience",
        "use_face_detection_instead",
        "clipseg_temperature",
        "verbose",
        "checkpointing_steps",
        "input_images_filetype",
        "sample_prompts",
        "sample_every_steps",
        "keep_checkpoints",
        "held_out_pictures",
        "held_out_pictures",
    ];

    public static TheoryData<string> Inputs => [.. TrainingInputs.Fields.Select(f => f.Name).Except(s_elsewhere)];

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Each_input_of_a_step_reaches_the_settings(string input)
    {
        var (given, of, expected) = s_rows[input];
        var plain = From([]);
        var settings = From((JsonObject)JsonNode.Parse(given)!);
        Assert.Equal(expected, of(settings));
        Assert.NotEqual(expected, of(plain)); // so it is the input that did it
        Assert.NotEqual(plain.Hash(), settings.Hash()); // and a checkpoint of the other settings is not resumed from
    }

    [Fact]
    public void The_optimizer_is_free_in_a_full_fine_tune_too()
    {
        Assert.Equal("adafactor", From(new JsonObject { ["is_lora"] = false, ["optimizer"] = "adafactor" }).Optimizer);
    }

    [Fact]
    public void The_six_learning_rate_schedules_differ_but_for_the_two_constant_ones()
    {
        string Rates(string kind)
        {
            var settings = From(new JsonObject { ["lr_scheduler"] = kind, ["max_train_steps"] = 400 });
            return JsonSerializer.Serialize(Enumerable.Range(0, 400).Select(i => Math.Round(settings.Schedule.Rate(i, settings.Rate), 9)));
        }
        var kinds = TrainingInputs.Fields.Single(f => f.Name == "lr_scheduler").Choices!;
        Assert.Equal(6, kinds.Count);
        Assert.Equal(5, kinds.Select(Rates).Distinct().Count());
        Assert.Equal(Rates("constant"), Rates("constant_with_warmup"));
    }

    [Fact]
    public void The_prediction_follows_the_base_model_unless_an_input_says_otherwise()
    {
        Assert.True(From([], baseIsVelocity: true).VelocityPrediction);
        Assert.False(From([], baseIsVelocity: false).VelocityPrediction);
        Assert.False(From(new JsonObject { ["prediction_type"] = "epsilon" }, baseIsVelocity: true).VelocityPrediction);
        Assert.True(From(new JsonObject { ["prediction_type"] = "v_prediction" }).ScheduleFrom(new SchedulerConfig()).PredictsVelocity);
        // The base model's own rescaling stays
        Assert.True(From([], true).ScheduleFrom(new SchedulerConfig { ZeroTerminalSnr = true }).ZeroTerminalSnr);
    }

    private static TrainingSettings From(JsonObject given, bool baseIsVelocity = false)
    {
        var basis = new BaseManifest("tiny", "", "tiny", null, ".", [], [], []) { ModelsFolder = TestPaths.Goldens };
        return TrainingSettings.From(TrainingInputs.Read(given, basis, "a"), Pictures, baseIsVelocity);
    }
}
