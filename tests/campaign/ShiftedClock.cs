using System.Buffers.Binary;
using System.Diagnostics;

namespace Sdxl.Campaign.Tests;

/// <summary>
/// A clock of the tests' own for the host and all that it starts (shifted-clock.c, where there is a C compiler): the wall clock jumps, the
/// steady clock does not, as when a laptop's time is set.
/// </summary>
/// <remarks>libfaketime shifts the ends of timed waits, too: after a jump back a program waits for so much longer.</remarks>
public sealed class ShiftedClock
{
    private readonly string _offset;
    private readonly string? _library;
    private TimeSpan _shift;

    /// <param name="folder">Where the library and the offset are kept.</param>
    public ShiftedClock(string folder)
    {
        _offset = Path.Combine(folder, "clock");
        File.WriteAllBytes(_offset, new byte[sizeof(long)]);
        _library = Compiled(Path.Combine(folder, "shifted-clock.so"));
    }

    /// <summary>What the programs are started with; nothing where there is no compiler.</summary>
    public IEnumerable<(string Name, string Value)> Environment() =>
        _library is null ? [] : [("LD_PRELOAD", _library), ("SDXL_CLOCK", _offset)];

    public void Jump(TimeSpan by)
    {
        _shift += by;
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, _shift.Ticks * TimeSpan.NanosecondsPerTick);
        using var file = new FileStream(_offset, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Write(bytes); // over the old ones: the programs have the file mapped
    }

    private static string? Compiled(string library)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            using var compiler = Process.Start(
                "cc", ["-shared", "-fPIC", "-O2", "-o", library, Path.Combine(AppContext.BaseDirectory, "shifted-clock.c")]);
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
            return library;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no compiler
        }
    }
}
