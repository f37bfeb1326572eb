using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Training;
using TorchSharp;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Resuming where other machines would differ. Alone: the number of threads is the whole process's.</summary>
[CollectionDefinition("Threads", DisableParallelization = true)]
public sealed class ThreadsCollection;

[Collection("Threads")]
public sealed class ResumeTests : IDisposable
{
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void A_training_resumed_on_a_machine_with_another_number_of_cores_ends_with_the_same_bytes()
    {
        var given = TinyRuns.Given();
        var straight = runs.Start("straight", given, threads: 1);
        runs.StopAfter(3, "resumed", given, threads: 1);
        var resumed = runs.Start("resumed", given, threads: 2);
        TinyRuns.AssertSameFiles(straight.Plan, resumed.Plan);
        Assert.Contains(
            resumed.Observer.Lines,
            l =>
                l.Contains("began with 1 processor thread", StringComparison.Ordinal)
                && l.Contains("would have taken 2", StringComparison.Ordinal)
        );
        Assert.Equal(2, torch.get_num_threads()); // what comes after this run has the machine's number again
        new TrainingDevice(false, 1).Apply();
    }
}
