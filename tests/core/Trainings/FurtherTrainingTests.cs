using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Json;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;

namespace Sdxl.Core.Tests.Trainings;

/// <summary>What a training takes over of the version it goes on from, and what it may not change.</summary>
public sealed class FurtherTrainingTests
{
    private static readonly BaseManifest s_base = new("toy", "d", "toy", null, "toy", [], [], []);

    [Fact]
    public void What_is_not_said_is_the_versions_and_the_free_inputs_stay_as_said()
    {
        var given = new JsonObject { ["max_train_steps"] = 5, ["token_string"] = "cat" };
        FurtherTraining.FillGaps(
            given,
            Version(("lora_rank", 8), ("lora_alpha", 4), ("token_string", "CAT"), ("seed", 7), ("resolution", 256))
        );
        var inputs = Inputs(given);
        Assert.Equal(
            (8, 4, "cat", 5, 512),
            (inputs.LoraRank, inputs.LoraAlpha, inputs.TokenString, inputs.MaxTrainSteps, inputs.Resolution)
        );
        Assert.NotEqual(7, inputs.Seed);
        Assert.Empty(FurtherTraining.Problems(inputs, "toy", "me/cat:f00d", Version(("lora_rank", 8), ("token_string", "CAT"))));
    }

    [Fact]
    public void Everything_that_does_not_fit_is_told_at_once()
    {
        var inputs = Inputs(
            new JsonObject
            {
                ["lora_rank"] = 16,
                ["token_string"] = "DOG",
                ["use_dora"] = true,
                ["vectors_per_token"] = 4,
                ["lora_targets"] = "linear",
            }
        );
        var problems = FurtherTraining.Problems(inputs, "sdxl", "me/cat:f00d", Version(("lora_rank", 8)));
        Assert.Equal(
            ["base", "token_string", "vectors_per_token", "lora_rank", "lora_targets", "use_dora"],
            problems.Select(problem => problem.Field)
        );
        Assert.Equal(
            "Input 'lora_rank' is 16, but version 'me/cat:f00d' was trained with 8, and its weights begin this training. Leave it out, or "
                + "train anew without 'from'.",
            problems[3].Sentence);
    }

    [Fact]
    public void A_whole_net_does_not_begin_a_LoRA_and_needs_no_rank_of_its_own()
    {
        var whole = Version(("is_lora", false), ("lora_rank", 8));
        Assert.Equal(
            "is_lora",
            Assert.Single(FurtherTraining.Problems(Inputs(new JsonObject { ["is_lora"] = true }), "toy", "v", whole)).Field
        );
        var given = new JsonObject();
        FurtherTraining.FillGaps(given, whole);
        Assert.False(given.ContainsKey("lora_rank"));
        Assert.Empty(FurtherTraining.Problems(Inputs(given), "toy", "v", whole));
    }

    /// <summary>The version of a training without the input was trained with its default.</summary>
    [Fact]
    public void A_version_of_before_an_input_was_there_counts_as_one_with_its_default()
    {
        var old = Version() with { Inputs = new JsonObject { ["is_lora"] = true, ["token_string"] = "TOK", ["lora_rank"] = 32 } };
        Assert.Empty(FurtherTraining.Problems(Inputs([]), "toy", "v", old));
        Assert.Equal(
            "vectors_per_token",
            Assert.Single(FurtherTraining.Problems(Inputs(new JsonObject { ["vectors_per_token"] = 3 }), "toy", "v", old)).Field
        );
    }

    [Fact]
    public void A_manifest_without_a_parent_is_written_as_before_there_were_any()
    {
        var manifest = new VersionManifest("toy", "TOK", [], []);
        Assert.Equal(
            "{\n  \"base\": \"toy\",\n  \"trigger\": \"TOK\",\n  \"inputs\": {},\n  \"files\": []\n}\n",
            System.Text.Encoding.UTF8.GetString(manifest.ToBytes())
        );
        Assert.NotEqual(
            VersionManifest.IdOf(manifest.ToBytes()),
            VersionManifest.IdOf((manifest with { Parent = "me/cat:f00d" }).ToBytes())
        );
    }

    [Theory]
    [InlineData("me/cat")]
    [InlineData("cat:f00d")]
    [InlineData("me:cat/f00d")]
    public void What_is_no_full_name_of_a_version_is_not_taken_for_one(string text) =>
        Assert.Throws<FormatException>(() => VersionName.Parse(text));

    private static TrainingInputs Inputs(JsonObject given) => TrainingInputs.Read(given, s_base, "a");

    private static VersionManifest Version(params (string Name, JsonNode Value)[] said)
    {
        var inputs = JsonSerializer.SerializeToNode(Inputs([]), SdxlJson.Options)!.AsObject();
        foreach (var (name, value) in said)
            inputs[name] = value;
        return new VersionManifest("toy", "TOK", inputs, []);
    }
}
