using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Predictions;

namespace Sdxl.Core.Tests.Predictions;

public sealed class PredictionInputsTests
{
    private static readonly BaseManifest Plain = new("plain", "", "x", null, ".", [], [], []);
    private static readonly string Id = JobId.From("test");

    [Fact]
    public void Without_inputs_Replicates_defaults_apply()
    {
        var inputs = PredictionInputs.Read([], Plain, Id);

        Assert.Equal(
            (1024, 1024, 1, "K_EULER", 50),
            (inputs.Width, inputs.Height, inputs.NumOutputs, inputs.Scheduler, inputs.NumInferenceSteps)
        );
        Assert.Equal((7.5, 0.8, "no_refiner", 0.8), (inputs.GuidanceScale, inputs.PromptStrength, inputs.Refine, inputs.HighNoiseFrac));
        Assert.Equal((true, false, (string?)null), (inputs.ApplyWatermark, inputs.DisableSafetyChecker, inputs.ReplicateWeights));
        Assert.Equal(JobId.SeedOf(Id), inputs.Seed);
    }

    [Fact]
    public void The_largest_seed_may_be_given_for_one_picture_and_every_reported_seed_may_be_given_again()
    {
        Assert.Equal(PredictionInputs.MaxSeed, Read(PredictionInputs.MaxSeed, 1).Seed);
        Assert.Equal(PredictionInputs.MaxSeed - 3, Read(PredictionInputs.MaxSeed - 3, 4).Seed);

        var refused = Assert.Throws<InputException>(() => Read(PredictionInputs.MaxSeed, 2));

        Assert.Equal(
            "Input 'seed' is 9007199254740991; with 2 outputs it must be 9007199254740990 or less, so that the last picture's seed can be "
                + "given again.",
            Assert.Single(refused.Problems).Sentence
        );

        static PredictionInputs Read(long seed, int outputs) =>
            PredictionInputs.Read(new JsonObject { ["seed"] = seed, ["num_outputs"] = outputs }, Plain, Id);
    }

    [Fact]
    public void A_seed_of_minus_one_or_null_means_choose_one_and_a_style_may_be_subtracted()
    {
        Assert.Equal(JobId.SeedOf(Id), PredictionInputs.Read(new JsonObject { ["seed"] = -1 }, Plain, Id).Seed);
        Assert.Equal(JobId.SeedOf(Id), PredictionInputs.Read(new JsonObject { ["seed"] = null }, Plain, Id).Seed);
        Assert.Equal(-0.5, PredictionInputs.Read(new JsonObject { ["lora_scale"] = -0.5 }, Plain, Id).LoraScale);
        Assert.Throws<InputException>(() => PredictionInputs.Read(new JsonObject { ["lora_scale"] = -4.5 }, Plain, Id));
    }

    [Fact]
    public void A_mask_without_a_picture_is_refused_together_with_what_else_is_wrong()
    {
        var refused = Assert.Throws<InputException>(() =>
            PredictionInputs.Read(
                new JsonObject
                {
                    ["mask"] = "a/b.png",
                    ["image"] = "",
                    ["seed"] = PredictionInputs.MaxSeed,
                    ["num_outputs"] = 3,
                },
                Plain,
                Id
            )
        );

        Assert.Equal(["seed", "mask"], refused.Problems.Select(p => p.Field));
    }

    [Fact]
    public void Every_input_has_a_typed_property_and_a_description()
    {
        var properties = typeof(PredictionInputs)
            .GetProperties()
            .Where(p => p.Name != nameof(PredictionInputs.Fields))
            .Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name))
            .Order();

        Assert.Equal(PredictionInputs.Fields.Select(f => f.Name).Order(), properties);
        Assert.All(PredictionInputs.Fields, f => Assert.True(f.Description.Length > 5, f.Name));
    }
}
