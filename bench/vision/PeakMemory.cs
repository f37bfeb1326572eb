using System.Globalization;

namespace Sdxl.Bench.Vision;

/// <summary>The most memory that a process had resident since a moment, as Linux counts it.</summary>
internal static class PeakMemory
{
    /// <summary>Counts from now on.</summary>
    public static void Restart(int processId)
    {
        if (OperatingSystem.IsLinux())
            File.WriteAllText(FormattableString.Invariant($"/proc/{processId}/clear_refs"), "5");
    }

    /// <summary>MiB; null where the system does not tell.</summary>
    public static double? Mebibytes(int processId) =>
        !OperatingSystem.IsLinux()
            ? null
            : File.ReadLines(FormattableString.Invariant($"/proc/{processId}/status"))
                .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
                .Select(line =>
                    long.Parse(line.Split([" ", "\t"], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0
                )
                .Single();
}
