using Sdxl.Core.Json;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;
using TorchSharp;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>A loss that is not finite: back to the last checkpoint at half the rate.</summary>
[Collection("Training runs")]
public sealed class RollbackTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void After_going_back_the_rates_are_half_and_weights_and_samples_are_those_of_a_run_at_half_the_rates()
    {
        var given = TinyRuns.Given();
        given["checkpointing_steps"] = 1000; // back to the start: all steps are done at half the rates
        given["sample_prompts"] = "a photo of TOK";
        given["sample_every_steps"] = 1;
        var failed = false;
        var rolledBack = runs.Start("back", given, new TinyRuns.Recorder { OnStep = m => Fail(m, 5, ref failed) });
        given["lora_lr"] = 0.005;
        given["ti_lr"] = 0.005;
        var half = runs.Start("half", given);

        Assert.IsType<TrainingOutcome.Completed>(rolledBack.Outcome);
        Assert.Single(
            rolledBack.Observer.Lines,
            l => l.Contains("Going back to the last checkpoint at half the rate (1 of 3)", StringComparison.Ordinal)
        );
        Assert.Equal([0, 0], rolledBack.Observer.Starts);
        TinyRuns.AssertSameWeights(half.Plan, rolledBack.Plan);
        TinyRuns.AssertSameFolder(Path.Combine(half.Plan.WorkFolder, "samples"), Path.Combine(rolledBack.Plan.WorkFolder, "samples"));
    }

    [Fact]
    public void A_run_goes_back_to_the_newest_checkpoint_halves_its_rates_from_there_and_stays_at_half_after_a_resume()
    {
        var given = TinyRuns.Given();
        var failed = false;
        using var stop = new CancellationTokenSource();
        var recorder = new TinyRuns.Recorder
        {
            OnStep = m =>
            {
                if (failed && m.Step == 5)
                    stop.Cancel();
                Fail(m, 5, ref failed);
            },
        };
        var first = runs.Start("back", given, recorder, stop.Token);
        var second = runs.Start("back", given);

        Assert.Equal([0, 4], recorder.Starts);
        Assert.Equal([1, 2, 3, 4, 5, 5], recorder.Steps.Select(s => s.Step));
        var (full, halved) = (recorder.Steps[4], recorder.Steps[5]);
        Assert.Equal(full.Rate / 2, halved.Rate, 1e-12);
        Assert.True(full.Rate > 0);
        Assert.Equal(5, second.Observer.ResumedAt);
        Assert.Equal(0.005, second.Observer.Steps.Single().Rate, 1e-12);
        Assert.Equal(
            Enumerable.Range(1, TinyRuns.Steps),
            MetricsLog.Read(Path.Combine(first.Plan.WorkFolder, MetricsLog.FileName)).Select(m => m.Step)
        );
    }

    [Fact]
    public void Weights_that_are_not_numbers_are_never_written_as_a_checkpoint_though_the_loss_does_not_show_them()
    {
        // No caption names the trigger word, so its vectors are in no loss.
        runs.ChangeManifest(m => m with { Pictures = [.. m.Pictures.Select(p => p with { Caption = "a photo" })] });
        var given = TinyRuns.Given();
        given["ti_fraction"] = 1;
        var plan = runs.StopAfter(4, "rows", given);
        foreach (var checkpoint in Directory.GetDirectories(Path.Combine(plan.WorkFolder, "checkpoints")))
            Spoil(checkpoint, "text.rows_1");

        var error = Assert.Throws<TrainingException>(() => runs.Start("rows", given));

        Assert.Contains("diverges", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(plan.OutputFolder));
    }

    private static void Fail(StepMetrics metrics, int step, ref bool failed)
    {
        if (metrics.Step != step || failed)
            return;
        failed = true;
        throw new NonFiniteLossException(step, double.NaN, 1);
    }

    /// <summary>Makes one tensor of a checkpoint not a number, its hash in order.</summary>
    private static void Spoil(string checkpoint, string name)
    {
        var (state, info) = (Path.Combine(checkpoint, CheckpointStore.StateName), Path.Combine(checkpoint, CheckpointStore.InfoName));
        using (var scope = torch.NewDisposeScope())
        {
            Dictionary<string, torch.Tensor> tensors;
            using (var file = SafetensorsFile.Open(state))
                tensors = file.Entries.Keys.ToDictionary(n => n, n => file.Read(n));
            tensors[name].fill_(Num(float.NaN));
            SafetensorsWriter.Write(state, tensors);
        }
        var known = SdxlJson.Deserialize<CheckpointInfo>(File.ReadAllText(info));
        File.WriteAllText(info, SdxlJson.Serialize(known with { Sha256 = CheckpointStore.HashOf(state) }));
    }
}
