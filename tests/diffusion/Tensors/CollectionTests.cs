using Sdxl.Diffusion.Tests.Training;
using Sdxl.Diffusion.Training;
using TorchSharp;

namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>Nothing that libtorch still reads is left to the garbage collector.</summary>
[Collection("Training runs")]
public sealed class CollectionTests : IDisposable
{
    private const int Compared = 50;

    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    /// <summary>150 steps, or 10,000 with SDXL_LONG=1 (half an hour on two quiet cores).</summary>
    [Fact]
    public void A_training_computes_the_same_while_another_thread_collects_all_the_time()
    {
        var given = TinyRuns.Given();
        given["train_batch_size"] = 1;
        given["max_train_steps"] = Environment.GetEnvironmentVariable("SDXL_LONG") == "1" ? 10_000 : 150;
        given["lora_lr"] = 1e-4;
        given["ti_lr"] = 1e-3;
        given["gradient_checkpointing"] = true; // custom autograd functions too
        given["checkpointing_steps"] = 1000;
        using var stop = new CancellationTokenSource();
        var first = new TinyRuns.Recorder { OnStep = m => { if (m.Step == Compared) stop.Cancel(); } };
        runs.Start("quiet", given, first, stop.Token);

        using var collecting = new ConstantCollection();
        var disturbed = runs.Start("disturbed", given);

        Assert.IsType<TrainingOutcome.Completed>(disturbed.Outcome);
        var steps = disturbed.Observer.Steps;
        Assert.Equal(first.Steps.Select(s => (s.Loss, s.GradientNorm)), steps.Take(Compared).Select(s => (s.Loss, s.GradientNorm)));
        Assert.True(collecting.Count > steps.Count, $"only {collecting.Count} collections in {steps.Count} steps");
    }

    /// <summary>A tensor that no scope holds can be finalised while libtorch reads it, as a Scalar can.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_training_makes_no_tensor_outside_a_dispose_scope(bool checkpointing)
    {
        var given = TinyRuns.Given();
        given["gradient_checkpointing"] = checkpointing;
        given["sample_prompts"] = "a photo of TOK";
        var before = DisposeScopeManager.Statistics.CreatedOutsideScopeCount;

        runs.Start("scoped", given);

        Assert.Equal(before, DisposeScopeManager.Statistics.CreatedOutsideScopeCount);
    }
}
