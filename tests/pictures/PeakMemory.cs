using System.Diagnostics;
using System.Globalization;

namespace Sdxl.Tests.Pictures;

/// <summary>Measures the process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>The most memory that the process takes while something runs, above what it had.</summary>
internal static class PeakMemory
{
    public static long Megabytes(Action action)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");                // the peak counts from now on
        var before = Status("VmRSS");
        var clock = Stopwatch.StartNew();
        action();
        var peak = (Status("VmHWM") - before) >> 10;
        Console.WriteLine($"{peak} MiB at its peak, {clock.ElapsedMilliseconds} ms");
        return peak;
    }

    /// <summary>A line of /proc/self/status in KiB.</summary>
    private static long Status(string name) =>
        File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split([" ", "\t"], StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture))
            .Single();
}
