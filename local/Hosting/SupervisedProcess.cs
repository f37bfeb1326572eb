using System.ComponentModel;

namespace Sdxl.Local.Hosting;

/// <summary>
/// A child process that is started again when it dies, after 1, 2, 4 … 30 s; a life of a minute resets the pause. What it prints is passed
/// on line by line. Its standard input is a pipe that this process holds open: its end tells the child that the host is gone, however that
/// ended.
/// </summary>
internal sealed class SupervisedProcess(string name, Func<ProcessStartInfo> command, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyLife = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private Process? current;
    private Task? watch;

    /// <summary>How long it may take to end when it is asked to.</summary>
    public required TimeSpan StopPatience { get; init; }

    /// <summary>Where the running child's process id is written; null: nowhere.</summary>
    public string? PidFile { get; init; }

    /// <summary>Its share of the processors where others want them too.</summary>
    public ProcessPriorityClass Priority { get; init; } = ProcessPriorityClass.Normal;

    public int? ProcessId => current?.Id;

    /// <exception cref="InvalidOperationException">The program is not there.</exception>
    public void Start() => watch = WatchAsync(current = Launch());

    /// <summary>Asks it to end, and kills what does not.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        if (watch is null)
            return;
        if (current is { HasExited: false } child)
            Signals.AskToEnd(child);
        try
        {
            await watch.WaitAsync(StopPatience);
        }
        catch (TimeoutException)
        {
            logger.ChildKilled(name, current!.Id, StopPatience.TotalSeconds);
            current.Kill(entireProcessTree: true);
            await watch;
        }
        if (PidFile is not null)
            File.Delete(PidFile);
    }

    /// <summary>A child of an earlier host that was killed may still be writing its files. Waits for its end, then kills it.</summary>
    /// <param name="program">Its program's name, because the id may belong to another by now.</param>
    public static async Task WaitForPredecessor(string pidFile, string program, TimeSpan patience, CancellationToken cancellation)
    {
        var note = File.Exists(pidFile) ? await File.ReadAllTextAsync(pidFile, cancellation) : "";
        // A program of that name that began after the note was written is not the one it means.
        var latest = File.GetLastWriteTimeUtc(pidFile).AddSeconds(1);
        using var predecessor = Process.GetProcessesByName(program).FirstOrDefault(IsMeant);
        try
        {
            await (predecessor?.WaitForExitAsync(cancellation).WaitAsync(patience, cancellation) ?? Task.CompletedTask);
        }
        catch (TimeoutException)
        {
            predecessor!.Kill(entireProcessTree: true);
            await predecessor.WaitForExitAsync(cancellation);
        }

        bool IsMeant(Process process)
        {
            try
            {
                return process.Id.ToString(CultureInfo.InvariantCulture) == note && process.StartTime.ToUniversalTime() <= latest;
            }
            catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
            {
                return false; // It has ended this moment.
            }
        }
    }

    private async Task WatchAsync(Process? child)
    {
        for (var pause = FirstPause; ;)
        {
            if (child is not null)
            {
                var startedAt = Stopwatch.GetTimestamp();
                await child.WaitForExitAsync();
                if (stopping.IsCancellationRequested)
                    return;
                if (Stopwatch.GetElapsedTime(startedAt) > HealthyLife)
                    pause = FirstPause;
                logger.ChildDied(name, child.Id, child.ExitCode, pause.TotalSeconds);
            }
            await Task.Delay(pause, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            try
            {
                child = current = Launch();
                if (stopping.IsCancellationRequested) // asked while it started: whoever asked saw the one before
                    Signals.AskToEnd(child);
            }
            catch (Exception exception) // No memory, no process left: without a next try a host would look alive that has no worker.
            {
                child = null;
                logger.ChildNotStarted(name, exception.Message, pause.TotalSeconds);
            }
        }
    }

    private Process Launch()
    {
        var start = command();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        Process child;
        try
        {
            child = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException(
                $"{name} cannot be started: '{start.FileName}': {exception.Message}. Run `./sdxl setup`.", exception);
        }
        try
        {
            if (Priority != ProcessPriorityClass.Normal)
                child.PriorityClass = Priority; // at once, because threads that it has by then keep theirs
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It has ended already, or the system does not let us: it runs as any other.
        }
        child.OutputDataReceived += PassOn;
        child.ErrorDataReceived += PassOn;
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        if (PidFile is not null)
            File.WriteAllText(PidFile, child.Id.ToString(CultureInfo.InvariantCulture));
        return child;

        static void PassOn(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null)
                Console.WriteLine(line.Data);
        }
    }
}
