namespace Sdxl.Core.Workers;

/// <summary>
/// Environment variables that a worker's process is started with, because allocator, OpenMP and runtime read them before the first line of
/// ours:
/// the Dockerfile sets them, and so does whoever starts a worker on one machine. What the user has set stays.
/// </summary>
/// <remarks>Numbers: a full fine-tune of the toy model four times as wide, one CPU thread of an AMD EPYC, libtorch 1.13. On 2.10 all of
/// them together make a LoRA step of the toy model take 60 ms instead of 70 (bench/RESULTS.md).</remarks>
public static class WorkerEnvironment
{
    /// <summary>Name and value.</summary>
    public static IReadOnlyDictionary<string, string> Variables { get; } =
        new Dictionary<string, string>
        {
            // OpenMP threads that spin while they wait take the cores from the host and its storage: with passive waiting a training step
            // on two cores takes a third less, and on a busy machine a tenth.
            ["OMP_WAIT_POLICY"] = "PASSIVE",
            // Tensors that were freed keep their memory for the next step, instead of going back to the system and being cleared page by
            // page again:
            // 757 ms a step against 1195. glibc allows 32 MiB at most for single pieces; one arena, because the others give back whole
            // heaps of 64 MiB.
            ["MALLOC_MMAP_THRESHOLD_"] = "33554432",
            ["MALLOC_TRIM_THRESHOLD_"] = "536870912",
            ["MALLOC_ARENA_MAX"] = "1",
            // The small objects around tensors (0.2 MB a step) are collected every 4 MiB (hexadecimal) instead of every L3 cache full: 30
            // MiB less in a long run.
            ["DOTNET_GCgen0size"] = "400000",
            // The time is in libtorch; code instrumented for a second compilation only costs memory.
            ["DOTNET_TieredPGO"] = "0",
        };

    /// <summary>Adds to <paramref name="environment"/> what is not set there yet.</summary>
    public static void AddTo(IDictionary<string, string?> environment)
    {
        foreach (var (name, value) in Variables)
            environment.TryAdd(name, value);
    }
}
