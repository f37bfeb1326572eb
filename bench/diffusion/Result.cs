using System.Text.Json;
using Sdxl.Diffusion.Training;

namespace Sdxl.Bench.Diffusion;

/// <summary>One side of one case.</summary>
/// <param name="Ms">Median time of a step, milliseconds.</param>
/// <param name="CpuMs">Median processor time of a step, all threads: what other programs on the machine disturb least.</param>
/// <param name="Mib">Peak memory of the process, MiB.</param>
internal sealed record Result(double Ms, double CpuMs, double Mib)
{
    /// <summary>Steps that are not counted.</summary>
    public const int BurnIn = 3;

    /// <param name="times">Of all steps, the burn-in included.</param>
    public static Result Of(IReadOnlyList<Span> times) =>
        new(Median(times.Select(t => t.Ms)), Median(times.Select(t => t.CpuMs)), MetricsLog.PeakMebibytes());

    private static double Median(IEnumerable<double> all)
    {
        double[] counted = [.. all.Skip(BurnIn).Order()];
        return Math.Round(counted[counted.Length / 2], 2);
    }

    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}

/// <summary>How long something took on the clock, and of the processors.</summary>
internal readonly record struct Span(double Ms, double CpuMs);

/// <summary>Measures spans one after the other.</summary>
internal sealed class Clock
{
    private long wall = System.Diagnostics.Stopwatch.GetTimestamp();
    private TimeSpan cpu = Environment.CpuUsage.TotalTime;

    /// <summary>The time since the last call, or since this was made.</summary>
    public Span Lap()
    {
        var (now, used) = (System.Diagnostics.Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var span = new Span(System.Diagnostics.Stopwatch.GetElapsedTime(wall, now).TotalMilliseconds, (used - cpu).TotalMilliseconds);
        (wall, cpu) = (now, used);
        return span;
    }
}
