using System.Text.Json.Nodes;
using Sdxl.Diffusion.Training;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>
/// Ending before the last step and keeping what is trained; standing still between steps; a base whose files change under its name.
/// </summary>
public sealed class EarlyEndTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void A_training_that_is_ended_early_keeps_what_a_training_of_so_many_steps_would()
    {
        using var enough = new CancellationTokenSource();
        var given = TinyRuns.Given();
        given["sample_prompts"] = "a photo of TOK";
        var plan = runs.Plan("early", given) with { StopEarly = enough.Token };
        var observer = new TinyRuns.Recorder { OnStep = m => { if (m.Step == 3) enough.Cancel(); } };

        var outcome = TrainingRun.Run(plan, observer, CancellationToken.None);

        // Asked during step 3, which is told of after it is done: the next one is the last.
        var ended = Assert.IsType<TrainingOutcome.Completed>(outcome);
        Assert.Equal(4, ended.Steps);
        Assert.Contains(observer.Lines, line => line == "Ended at step 4 of 6, as asked; what is trained by then is kept.");
        Assert.Equal(4, MetricsLog.Read(Path.Combine(plan.WorkFolder, MetricsLog.FileName)).Last().Step);
        Assert.Equal([0, 4], observer.Samples.Select(s => s.Step)); // the last set is drawn whenever the last step is
        Assert.Contains("trained_model.tar", ended.Files);
        var straight = runs.StopAfter(4, "straight", TinyRuns.Given());
        TinyRuns.AssertSameWeights(straight, plan);
    }

    [Fact]
    public void A_training_that_is_ended_before_its_first_step_does_that_one()
    {
        var plan = runs.Plan("first", TinyRuns.Given()) with { StopEarly = new CancellationToken(canceled: true) };
        Assert.Equal(
            1,
            Assert.IsType<TrainingOutcome.Completed>(TrainingRun.Run(plan, new TinyRuns.Recorder(), CancellationToken.None)).Steps
        );
    }

    [Fact]
    public void A_resumed_training_that_was_ended_early_trains_no_further()
    {
        var given = TinyRuns.Given();
        var plan = runs.StopAfter(3, "resumed", given) with { StopEarly = new CancellationToken(canceled: true) };
        var observer = new TinyRuns.Recorder();
        Assert.Equal(3, Assert.IsType<TrainingOutcome.Completed>(TrainingRun.Run(plan, observer, CancellationToken.None)).Steps);
        Assert.Empty(observer.Steps);
    }

    [Fact]
    public void Standing_still_between_steps_changes_no_bit()
    {
        var straight = runs.Start("straight", TinyRuns.Given()).Plan;
        var passes = 0;
        var plan = runs.Plan("interrupted", TinyRuns.Given()) with
        {
            BetweenSteps = () =>
            {
                passes++;
                // Another's computation on another thread, as a prediction's.
                var other = new Thread(() =>
                {
                    using var a = TorchSharp.torch.rand(64, 64);
                    using var b = a.matmul(a);
                });
                other.Start();
                other.Join();
            },
        };
        TrainingRun.Run(plan, new TinyRuns.Recorder(), CancellationToken.None);
        Assert.Equal(TinyRuns.Steps, passes);
        TinyRuns.AssertSameFiles(straight, plan);
    }

    [Fact]
    public void A_checkpoint_of_other_files_under_the_bases_name_is_not_gone_on_from_and_the_log_says_why()
    {
        var given = TinyRuns.Given();
        var plan = runs.StopAfter(3, "changed", given) with { BaseIdentity = new string('0', 64) };
        var observer = new TinyRuns.Recorder();
        TrainingRun.Run(plan, observer, CancellationToken.None);
        Assert.Equal(0, observer.ResumedAt);
        Assert.Contains(
            observer.Lines,
            line =>
                line.Contains("other files of the base model", StringComparison.Ordinal)
                && line.Contains("starts anew", StringComparison.Ordinal)
        );
    }
}
