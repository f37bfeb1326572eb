using System.Text.Json.Nodes;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Sample pictures that somebody asks for in between: they are shown, and the training is as if nobody had asked.</summary>
[Collection("Training runs")]
public sealed class AskedSamplesTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    private static JsonObject Given()
    {
        var given = TinyRuns.Given();
        given["sample_prompts"] = "a photo of TOK|TOK on the grass";
        given["sample_every_steps"] = 2;
        return given;
    }

    [Fact]
    public void Samples_that_are_asked_for_are_drawn_at_the_next_step_and_change_no_byte_of_any_file()
    {
        var straight = runs.Start("straight", Given());
        var (plan, observer) = (Asking("asked", 3), new TinyRuns.Recorder());

        TrainingRun.Run(plan, observer, CancellationToken.None);

        Assert.Equal([0, 2, 4, 6], straight.Observer.Samples.Select(s => s.Step).Distinct());
        Assert.Equal([0, 2, 3, 4, 6], observer.Samples.Select(s => s.Step).Distinct());
        Assert.Equal([3], observer.AskedSamples);
        Assert.Equal(2, Directory.GetFiles(Samples(plan), "step-000003-*.png").Length);
        TinyRuns.AssertSameFiles(straight.Plan, plan);
    }

    [Fact]
    public void Asked_for_at_a_step_that_has_samples_anyway_they_are_drawn_once()
    {
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(Asking("due", 4), observer, CancellationToken.None);
        Assert.Equal([4], observer.AskedSamples);
        Assert.Equal(2, observer.Samples.Count(s => s.Step == 4));
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(2, false)] // the checkpoint behind the asked set is lost: that set shows weights that are not this run's any more
    public void A_training_that_is_gone_on_with_after_them_ends_with_the_same_bytes(int resumedAt, bool stays)
    {
        var straight = runs.Start("straight", Given()).Plan;
        using var stop = new CancellationTokenSource();
        var stopping = new TinyRuns.Recorder { OnStep = m => { if (m.Step == 4) stop.Cancel(); } };
        var plan = Asking("stopped", 3);
        Assert.Equal(new TrainingOutcome.Stopped(4), TrainingRun.Run(plan, stopping, stop.Token));
        Assert.Equal([3], stopping.AskedSamples);
        if (resumedAt < 4)
            Directory.Delete(Path.GetDirectoryName(TinyRuns.NewestState(plan))!, recursive: true);

        var resumed = new TinyRuns.Recorder();
        TrainingRun.Run(plan with { SamplesAsked = null }, resumed, CancellationToken.None);

        Assert.Equal(resumedAt, resumed.ResumedAt);
        Assert.Equal(stays ? 2 : 0, Directory.GetFiles(Samples(plan), "step-000003-*.png").Length);
        TinyRuns.AssertSameFiles(straight, plan);
    }

    /// <summary>Asked for after so many steps, once.</summary>
    private TrainingPlan Asking(string name, int step)
    {
        var done = 0;
        return runs.Plan(name, Given()) with { SamplesAsked = () => ++done == step };
    }

    private static string Samples(TrainingPlan plan) => Path.Combine(plan.WorkFolder, "samples");
}
