using System.Globalization;

namespace Sdxl.Campaign.Tests;

/// <summary>
/// A clock of the tests' own for the host and all that it starts (libfaketime, `apt install libfaketime`): the wall clock jumps, the steady
/// clock does not, as when a laptop's time is set.
/// </summary>
public sealed class ShiftedClock(string file)
{
    private static readonly string[] s_places =
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    ];

    private double _seconds;

    private static string? Library => s_places.FirstOrDefault(File.Exists);

    /// <summary>What the programs are started with; nothing where the library is not installed.</summary>
    public IEnumerable<(string Name, string Value)> Environment()
    {
        if (Library is null)
            return [];
        Write();
        return
        [
            ("LD_PRELOAD", Library),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_CACHE_DURATION", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("FAKETIME_DONT_RESET", "1"),
            // Without it every timed wait of .NET returns at once, and its threads spin.
            ("FAKETIME_FORCE_MONOTONIC_FIX", "0"),
        ];
    }

    public void Jump(TimeSpan by)
    {
        _seconds += by.TotalSeconds;
        if (Library is not null)
            Write();
    }

    private void Write()
    {
        var next = file + ".next";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{_seconds:+0.0;-0.0;+0.0}\n"));
        File.Move(next, file, overwrite: true);
    }
}
