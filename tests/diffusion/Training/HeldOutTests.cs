using System.Text.Json.Nodes;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Pictures held out of a training: it is as if they had not been sent, and the step that does best on them is named.</summary>
[Collection("Training runs")]
public sealed class HeldOutTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    private static JsonObject Given(int heldOut = 1)
    {
        var given = TinyRuns.Given();
        given["sample_every_steps"] = 2;
        given["held_out_pictures"] = heldOut;
        return given;
    }

    [Fact]
    public void The_weights_are_those_of_a_training_that_never_had_the_picture()
    {
        var held = runs.Start("held", Given());
        runs.ChangeManifest(m => m with { Pictures = [.. m.Pictures.Where((_, i) => i != 2)] });
        var without = runs.Start("without", Given(0));

        TinyRuns.AssertSameState(without.Plan, held.Plan);
        Assert.All(without.Observer.Steps, m => Assert.Null(m.HeldOut));
        Assert.Empty(((TrainingOutcome.Completed)without.Outcome).HeldOut);
    }

    [Fact]
    public void The_step_with_the_least_error_is_recommended_in_log_and_report_and_the_picture_is_named()
    {
        var given = Given();
        given["lora_lr"] = 0.1; // far too fast: it gets worse, or better, by steps of its own
        var run = runs.Start("named", given);

        var measured = ((TrainingOutcome.Completed)run.Outcome).HeldOut;
        Assert.Equal([2, 4, 6], measured.Select(m => m.Step));
        Assert.Equal(3, measured.Select(m => m.Loss).Distinct().Count());
        var best = measured.MinBy(m => m.Loss)!;
        Assert.Contains(run.Observer.Lines, line => line.StartsWith($"Recommended: step {best.Step}. ", StringComparison.Ordinal));
        var report = File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName));
        Assert.Contains($"<b>Recommended: step {best.Step}.</b>", report, StringComparison.Ordinal);
        Assert.Single(report.Split("<b>Held out.</b>")[1..]);
        Assert.Equal(
            measured,
            MetricsLog.HeldOut(MetricsLog.Read(Path.Combine(run.Plan.WorkFolder, MetricsLog.FileName))));
        Assert.Equal(
            measured.Select(m => (double?)m.Loss),
            File.ReadLines(Path.Combine(run.Plan.OutputFolder, MetricsLog.FileName))
                .Select(line => JsonNode.Parse(line)!["held_out"]?.GetValue<double>()).Where(loss => loss is not null));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_resumed_training_measures_what_an_unbroken_one_does(int stoppedAt)
    {
        var straight = runs.Start("straight", Given());
        var plan = runs.StopAfter(stoppedAt, "resumed", Given());
        TrainingRun.Run(plan, new TinyRuns.Recorder(), CancellationToken.None);
        TinyRuns.AssertSameFiles(straight.Plan, plan);
    }

    [Fact]
    public void A_row_that_is_asked_for_is_measured_too_and_changes_no_file()
    {
        var straight = runs.Start("straight", Given());
        var done = 0;
        var plan = runs.Plan("asked", Given()) with { SamplesAsked = () => ++done == 3 };

        var outcome = TrainingRun.Run(plan, new TinyRuns.Recorder(), CancellationToken.None);

        Assert.Equal([2, 3, 4, 6], ((TrainingOutcome.Completed)outcome).HeldOut.Select(m => m.Step));
        TinyRuns.AssertSameFiles(straight.Plan, plan);
    }

    [Fact]
    public void Another_number_of_pictures_held_out_is_another_training()
    {
        var plan = runs.StopAfter(4, "one", Given());
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(plan with { Inputs = runs.Plan("two", Given(2)).Inputs }, observer, CancellationToken.None);
        Assert.Equal(0, observer.ResumedAt);
    }
}
