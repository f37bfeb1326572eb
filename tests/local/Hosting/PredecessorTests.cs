using System.Diagnostics;
using System.Globalization;
using Sdxl.Local.Hosting;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Hosting;

/// <summary>A child of an earlier host: waited for, killed where it stays, and let go where it ends while it is looked at.</summary>
public sealed class PredecessorTests : IDisposable
{
    private readonly TempFolder folder = new();

    private string PidFile => folder.File("child.pid");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task One_that_ends_at_any_moment_is_waited_for_without_a_fault()
    {
        for (var round = 0; round < 150; round++)
        {
            using var child = Start($"0.0{round % 30:00}");
            while (!child.HasExited)
                await WaitAsync(TimeSpan.FromSeconds(10));
            await child.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task One_that_stays_is_killed_after_a_while()
    {
        using var child = Start("60");
        await WaitAsync(TimeSpan.FromMilliseconds(100));
        Assert.True(child.HasExited);
    }

    [Fact]
    public async Task Another_program_that_has_its_number_by_now_is_let_alone()
    {
        using var child = Start("60");
        await SupervisedProcess.WaitForPredecessor(PidFile, "node", TimeSpan.FromMilliseconds(100), CancellationToken.None);
        File.SetLastWriteTimeUtc(PidFile, DateTime.UtcNow.AddMinutes(-1)); // and so is one of that name that began later
        await WaitAsync(TimeSpan.FromMilliseconds(100));
        Assert.False(child.HasExited);
        child.Kill();
        await child.WaitForExitAsync();
    }

    private Process Start(string seconds)
    {
        var child = Process.Start("sleep", [seconds]);
        File.WriteAllText(PidFile, child.Id.ToString(CultureInfo.InvariantCulture));
        return child;
    }

    private Task WaitAsync(TimeSpan patience) => SupervisedProcess.WaitForPredecessor(PidFile, "sleep", patience, CancellationToken.None);
}
