using System.Text.Json.Nodes;
using Sdxl.Core.Json;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>A training that ends far above where it began has failed, though every loss was a number.</summary>
[Collection("Training runs")]
public sealed class DivergenceTests : IDisposable
{
    private const int Steps = 4, Resolution = 128;

    // The goldens' tiny model knows nothing, so it cannot unlearn; the toy does.
    private readonly TinyRuns runs = new() { Model = Path.Combine(TestPaths.Models, "toy-sdxl"), Resolution = Resolution };

    public void Dispose() => runs.Dispose();

    [Theory]
    [InlineData(true, 1.0, "lora_lr")]
    [InlineData(false, 0.01, "unet_learning_rate")]
    public void A_rate_that_unlearns_the_base_model_fails_with_both_errors_and_leaves_no_files(bool lora, double rate, string setting)
    {
        var recorder = new TinyRuns.Recorder();
        var given = Given(lora, rate);

        var error = Assert.Throws<TrainingException>(() => runs.Start("high", given, recorder));

        Assert.Equal(Steps, recorder.Steps.Count); // to the end, every loss a number
        Assert.StartsWith(
            "The training diverges: on its own pictures, under the same noise, the mean",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Matches(@"was 0\.1\d* before and is (0\.[5-9]|[1-9])\S* after it\.", error.Message);
        Assert.Contains($"Lower {setting} or ti_lr", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(runs.Plan("high", given).OutputFolder));
    }

    [Theory]
    [InlineData(true, 5e-4, 1)] // toy.json's rates
    [InlineData(true, 5e-4, Steps)]
    [InlineData(false, 1e-4, Steps)]
    public void Usual_rates_end_well_and_say_so(bool lora, double rate, int steps)
    {
        var given = Given(lora, rate);
        given["max_train_steps"] = steps;

        var run = runs.Start("usual", given);

        Assert.IsType<TrainingOutcome.Completed>(run.Outcome);
        Assert.Single(run.Observer.Lines, l => l.StartsWith("Mean squared error on the training's own pictures", StringComparison.Ordinal));
    }

    [Fact]
    public void A_resumed_training_is_judged_by_what_it_began_with_and_one_of_an_older_build_is_said_not_to_be_judged()
    {
        var given = Given(true, 1);
        given["checkpointing_steps"] = 2;
        var plan = runs.StopAfter(3, "high", given); // unlearned by then

        var error = Assert.Throws<TrainingException>(() => runs.Start("high", given));

        Assert.Contains("was 0.1", error.Message, StringComparison.Ordinal);
        foreach (var checkpoint in Directory.GetDirectories(Path.Combine(plan.WorkFolder, "checkpoints")))
        {
            var file = Path.Combine(checkpoint, CheckpointStore.InfoName);
            File.WriteAllText(file, WithoutStart(File.ReadAllText(file)));
        }
        var old = runs.Start("high", given);
        Assert.IsType<TrainingOutcome.Completed>(old.Outcome);
        Assert.Single(old.Observer.Lines, l => l.Contains("its end is not judged", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0.9, 0.9, false)]  // learned
    [InlineData(1.9, 1.9, false)]  // worse, not far worse
    [InlineData(4, 0.9, false)]    // the large timesteps' small errors alone
    [InlineData(0.9, 9, false)]    // the small timesteps' large errors alone
    [InlineData(9, 9, true)]
    [InlineData(double.NaN, 0.9, true)]
    [InlineData(0.9, double.PositiveInfinity, true)]
    public void Mean_and_most_samples_have_to_double(double small, double large, bool far)
    {
        double[] start = [0.5, 0.3, 0.2, 0.1, 0.02, 0.01, 0.005, 0.002];
        var end = new OwnErrors([.. start.Select((s, i) => s * (i < 2 ? large : small))]);

        Assert.Equal(far, end.FarAbove(new OwnErrors(start)));
    }

    [Fact]
    public void The_timesteps_are_spread_evenly_over_the_schedule() =>
        Assert.Equal([62, 187, 312, 437, 562, 687, 812, 937], Enumerable.Range(0, 8).Select(s => Trainer.Timestep(s, 8, 1000)));

    private static string WithoutStart(string json)
    {
        var info = SdxlJson.Deserialize<JsonObject>(json);
        Assert.True(info.Remove("start"));
        return info.ToJsonString();
    }

    private static JsonObject Given(bool lora, double rate)
    {
        var given = TinyRuns.Given(lora);
        given["resolution"] = Resolution;
        given["max_train_steps"] = Steps;
        given["checkpointing_steps"] = 1000;
        given["lora_lr"] = rate;
        given["unet_learning_rate"] = rate;
        given["ti_lr"] = 5e-3;
        given["lr_warmup_steps"] = 0;
        return given;
    }
}
