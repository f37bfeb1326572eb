using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Trainings;
using Sdxl.Tests;

namespace Sdxl.Core.Tests.Trainings;

public sealed class TrainingInputsTests
{
    private static readonly BaseManifest Plain = new("plain", "", "x", null, ".", [], [], []);
    private static readonly string Id = JobId.From("test");

    [Fact]
    public void Prodigy_runs_at_rates_of_one_unless_others_are_given()
    {
        var toy = BaseManifest.Load(TestPaths.Models, "toy");
        var inputs = TrainingInputs.Read(new JsonObject { ["optimizer"] = "prodigy", ["ti_lr"] = "0.5", ["lora_lr"] = "" }, toy, "a");
        Assert.Equal((1, 0.5, 1), (inputs.LoraLr, inputs.TiLr, inputs.UnetLearningRate));
        Assert.Equal(5e-4, TrainingInputs.Read(new JsonObject { ["optimizer"] = "lion" }, toy, "a").LoraLr);
    }

    [Fact]
    public void Without_inputs_Replicates_defaults_apply()
    {
        var inputs = TrainingInputs.Read([], Plain, Id);

        Assert.Equal((512, 4, 1000, true), (inputs.Resolution, inputs.TrainBatchSize, inputs.MaxTrainSteps, inputs.IsLora));
        Assert.Equal((1e-6, 3e-4, 1e-4), (inputs.UnetLearningRate, inputs.TiLr, inputs.LoraLr));
        Assert.Equal(
            ("constant", 100, "TOK", "a photo of TOK"),
            (inputs.LrScheduler, inputs.LrWarmupSteps, inputs.TokenString, inputs.CaptionPrefix)
        );
        Assert.Equal((200, 32, 1.0), (inputs.CheckpointingSteps, inputs.LoraRank, inputs.ClipsegTemperature));
    }

    [Fact]
    public void The_base_models_defaults_come_before_the_general_ones_and_the_users_before_both()
    {
        var toy = BaseManifest.Load(TestPaths.Models, "toy");

        Assert.Equal(128, TrainingInputs.Read([], toy, Id).Resolution);
        Assert.Equal(64, TrainingInputs.Read(new JsonObject { ["resolution"] = 64 }, toy, Id).Resolution);
    }

    [Fact]
    public void Sloppy_spellings_of_clients_are_understood()
    {
        var inputs = TrainingInputs.Read(
            new JsonObject
            {
                ["max_train_steps"] = "42",
                ["is_lora"] = "True",
                ["lora_lr"] = "1e-3",
                ["token_string"] = 123,
                ["seed"] = "",
                ["resolution"] = "1024.0",
            },
            Plain,
            Id
        );

        Assert.Equal(
            (42, true, 1e-3, "123", 1024),
            (inputs.MaxTrainSteps, inputs.IsLora, inputs.LoraLr, inputs.TokenString, inputs.Resolution)
        );
        Assert.Equal(JobId.SeedOf(Id), inputs.Seed);
        Assert.Equal("a photo of 123", inputs.CaptionPrefix);
    }

    [Theory]
    [InlineData("resolution", "37", "Input 'resolution' is 37; it must be 64 to 2048, a multiple of 8 (nearest: 64).")]
    [InlineData("resolution", "516", "Input 'resolution' is 516; it must be 64 to 2048, a multiple of 8 (nearest: 512).")]
    [InlineData("max_train_steps", "1.5", "Input 'max_train_steps' is 1.5; it must be a whole number, 1 to 1000000.")]
    [InlineData("is_lora", "maybe", "Input 'is_lora' is maybe; it must be true or false.")]
    [InlineData(
        "lr_scheduler",
        "sine",
        "Input 'lr_scheduler' is sine; it must be one of constant, constant_with_warmup, linear, cosine, cosine_with_restarts, polynomial."
    )]
    [InlineData("max_train_stps", "1", "There is no input called 'max_train_stps'. Did you mean 'max_train_steps'?")]
    [InlineData(
        "token_string",
        "TOK|tok",
        "Input 'token_string' names 'TOK' twice. Give each subject a word of its own, for example TOK|CAT."
    )]
    [InlineData("token_string", "TOK|", "Input 'token_string' is empty. Choose a word for the subject, for example TOK.")]
    [InlineData(
        "token_string",
        "TOK|a:b",
        "Input 'token_string' is 'a:b': a trigger word has no ':' and no ','. Leave them out, for example TOK; several words are joined by "
            + "'|', TOK|CAT."
    )]
    [InlineData(
        "token_string",
        "a,b",
        "Input 'token_string' is 'a,b': a trigger word has no ':' and no ','. Leave them out, for example TOK; several words are joined by "
            + "'|', TOK|CAT."
    )]
    public void A_bad_input_is_named_with_its_value_and_the_allowed_range(string name, string value, string sentence)
    {
        var refused = Assert.Throws<InputException>(() => TrainingInputs.Read(new JsonObject { [name] = value }, Plain, Id));

        Assert.Equal(sentence, Assert.Single(refused.Problems).Sentence);
    }

    [Fact]
    public void A_seed_of_minus_one_or_null_means_choose_one()
    {
        JsonNode?[] unset = [-1, "-1", "-1.0", null];
        Assert.All(unset, seed => Assert.Equal(JobId.SeedOf(Id),
            TrainingInputs.Read(new JsonObject { ["seed"] = seed?.DeepClone() }, Plain, Id).Seed));
        Assert.Throws<InputException>(() => TrainingInputs.Read(new JsonObject { ["seed"] = -2 }, Plain, Id));
    }

    [Fact]
    public void A_text_that_is_too_long_is_refused_at_the_door()
    {
        var refused = Assert.Throws<InputException>(() =>
            TrainingInputs.Read(new JsonObject { ["sample_prompts"] = new string('a', 300_000) }, Plain, Id));
        Assert.Equal("Input 'sample_prompts' has 300,000 characters; at most 10,000 are allowed.",
            Assert.Single(refused.Problems).Sentence);
        Assert.All(TrainingInputs.Fields.Where(f => f.Type == InputType.String && f.Choices is null), f => Assert.NotNull(f.Maximum));
    }

    [Fact]
    public void All_problems_are_named_at_once()
    {
        var given = new JsonObject { ["resolution"] = 37, ["nonsense_xyz"] = 1, ["token_string"] = "a:b", ["lora_rank"] = -1 };

        var refused = Assert.Throws<InputException>(() => TrainingInputs.Read(given, Plain, Id));

        Assert.Equal(["nonsense_xyz", "resolution", "lora_rank", "token_string"], refused.Problems.Select(p => p.Field));
    }

    [Fact]
    public void Inputs_without_effect_are_named()
    {
        var given = new JsonObject { ["is_lora"] = true, ["unet_learning_rate"] = 1e-5, ["clipseg_temperature"] = 0.5 };

        Assert.Equal(2, TrainingInputs.WithoutEffect(given, TrainingInputs.Read(given, Plain, Id)).Count);
    }

    [Theory]
    [InlineData("lr_cycles", "lr_scheduler", "cosine_with_restarts")]
    [InlineData("lr_power", "lr_scheduler", "polynomial")]
    public void An_input_of_one_schedule_is_named_where_another_is_chosen(string input, string other, string needed)
    {
        JsonObject Given(string value) => new() { [input] = 2, [other] = value };
        IReadOnlyList<string> Idle(JsonObject given) => TrainingInputs.WithoutEffect(given, TrainingInputs.Read(given, Plain, Id));
        Assert.Contains(
            $"'{input}' has no effect without {other} {needed}",
            Assert.Single(Idle(Given("cosine"))),
            StringComparison.Ordinal
        );
        Assert.Empty(Idle(Given(needed)));
    }

    [Theory]
    [InlineData("caption_prefix", "a photo of (TOK:1.3)", true)]
    [InlineData("sample_prompts", "TOK <lora:x:1>|a dog", true)]
    [InlineData("sample_prompts", "TOK (left)|a dog", false)]
    public void Weights_and_tags_that_training_does_not_read_are_named(string input, string text, bool named)
    {
        var given = new JsonObject { [input] = text };
        var idle = TrainingInputs.WithoutEffect(given, TrainingInputs.Read(given, Plain, Id));
        Assert.Equal(named, idle.Any(sentence => sentence.Contains($"in '{input}' have no effect", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_input_has_a_typed_property_and_a_description()
    {
        var properties = typeof(TrainingInputs).GetProperties().Where(p => p.Name != nameof(TrainingInputs.Fields))
            .Select(p => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)).Order();

        Assert.Equal(TrainingInputs.Fields.Select(f => f.Name).Order(), properties);
        Assert.All(TrainingInputs.Fields, f => Assert.True(f.Description.Length > 20, f.Name));
    }
}
