using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Hosting;

/// <summary>A child process that is started again when it dies, after 1, 2, 4 … 30 s; a life of a minute resets the pause.</summary>
internal sealed class SupervisedProcess(string name, Func<ProcessStartInfo> command, ILogger logger)
{
    private const int SigTerm = 15;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyLife = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private Process? current;
    private Task? watch;

    /// <summary>Where the running child's process id is written; null: nowhere.</summary>
    public string? PidFile { get; init; }

    public int? ProcessId { get; private set; }

    /// <exception cref="InvalidOperationException">The program is not there.</exception>
    public void Start()
    {
        current = Launch();
        watch = Task.Run(Watch);
    }

    /// <summary>SIGTERM, then SIGKILL for what still runs after <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await stopping.CancelAsync();
        if (current is { HasExited: false } child)
        {
            Kill(child.Id, SigTerm);
            try
            {
                await child.WaitForExitAsync().WaitAsync(patience);
            }
            catch (TimeoutException)
            {
                logger.ChildKilled(name, child.Id, patience.TotalSeconds);
                child.Kill(entireProcessTree: true);
                await child.WaitForExitAsync();
            }
        }
        if (watch is not null)
            await watch;
        if (PidFile is not null)
            File.Delete(PidFile);
    }

    /// <summary>
    /// A child of an earlier host that was killed may still be writing its files. Waits for it, then kills it.
    /// </summary>
    /// <param name="mark">Text of its command line, because the id may belong to another program by now.</param>
    public static async Task WaitForPredecessor(string pidFile, string mark, TimeSpan patience, CancellationToken cancellation)
    {
        if (!File.Exists(pidFile) || !int.TryParse(await File.ReadAllTextAsync(pidFile, cancellation), CultureInfo.InvariantCulture, out var id))
            return;
        Process predecessor;
        try
        {
            predecessor = Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            return;
        }
        using (predecessor)
        {
            var commandLine = $"/proc/{id.ToString(CultureInfo.InvariantCulture)}/cmdline";
            if (!File.Exists(commandLine) || !(await File.ReadAllTextAsync(commandLine, cancellation)).Contains(mark, StringComparison.Ordinal))
                return;
            try
            {
                await predecessor.WaitForExitAsync(cancellation).WaitAsync(patience, cancellation);
            }
            catch (TimeoutException)
            {
                predecessor.Kill(entireProcessTree: true);
                await predecessor.WaitForExitAsync(cancellation);
            }
        }
    }

    private async Task Watch()
    {
        var pause = FirstPause;
        while (true)
        {
            var child = current!;
            var startedAt = Stopwatch.GetTimestamp();
            await child.WaitForExitAsync();
            if (stopping.IsCancellationRequested)
                return;
            if (Stopwatch.GetElapsedTime(startedAt) > HealthyLife)
                pause = FirstPause;
            logger.ChildDied(name, child.Id, child.ExitCode, pause.TotalSeconds);
            await Task.Delay(pause, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            current = Launch();
            child.Dispose();
        }
    }

    private Process Launch()
    {
        var start = command();
        start.UseShellExecute = false;
        Process child;
        try
        {
            child = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"{name} cannot be started: '{start.FileName}': {exception.Message}. Run `./sdxl setup`.", exception);
        }
        ProcessId = child.Id;
        if (PidFile is not null)
            File.WriteAllText(PidFile, child.Id.ToString(CultureInfo.InvariantCulture));
        return child;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);
}
