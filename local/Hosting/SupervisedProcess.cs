using System.ComponentModel;

namespace Sdxl.Local.Hosting;

/// <summary>
/// A child process that is started again when it dies, after pauses that double up to 30 s; a life of a minute makes them short again. Its
/// standard input is a pipe that this process holds open: its end tells the child that the host is gone, however that ended.
/// </summary>
internal sealed class SupervisedProcess(string name, Func<ProcessStartInfo> command, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyLife = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private Process? current;
    private Task? watch;

    /// <summary>How long it may take to end when it is asked to.</summary>
    public required TimeSpan StopPatience { get; init; }

    /// <summary>Before the second start.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where the running child's process id is written; null: nowhere.</summary>
    public string? PidFile { get; init; }

    /// <summary>Its share of the processors where others want them too.</summary>
    public ProcessPriorityClass Priority { get; init; } = ProcessPriorityClass.Normal;

    /// <summary>Gets each child at its start.</summary>
    public Action<Process> OnStart { get; init; } = _ => { };

    /// <summary>Gets each line that it prints; what comes from standard error has the level of an error.</summary>
    public Action<LogLevel, string> OnLine { get; init; } = (_, line) => Console.WriteLine(line);

    public int? ProcessId => current?.Id;

    /// <exception cref="InvalidOperationException">The program is not there.</exception>
    public void Start() => watch = WatchAsync(current = Launch());

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        if (watch is null)
            return;
        await EndAsync(current!);
        await Task.WhenAny(watch, Task.Delay(StopPatience)); // whoever holds the other end of its output keeps it from being over
        if (PidFile is not null)
            File.Delete(PidFile);
    }

    /// <summary>Asks a child to end, and kills it where it does not.</summary>
    public async Task EndAsync(Process child)
    {
        try
        {
            if (child.HasExited)
                return;
            Signals.AskToEnd(child);
            await child.WaitForExitAsync().WaitAsync(StopPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (child.HasExited)
                return;
            logger.ChildKilled(name, child.Id, StopPatience.TotalSeconds);
            child.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It, or a child of its own, ended under our hands.
        }
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
                    await EndAsync(child);
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
                $"{name} cannot be started: '{start.FileName}': {exception.Message}. Is it on the PATH? Run `./sdxl setup`.", exception);
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
        child.OutputDataReceived += (_, line) => PassOn(LogLevel.Information, line.Data);
        child.ErrorDataReceived += (_, line) => PassOn(LogLevel.Error, line.Data);
        child.BeginOutputReadLine();
        child.BeginErrorReadLine();
        try
        {
            if (PidFile is not null)
                File.WriteAllText(PidFile, child.Id.ToString(CultureInfo.InvariantCulture));
        }
        catch
        {
            child.Kill(entireProcessTree: true); // the next one would run beside it
            throw;
        }
        OnStart(child);
        return child;

        void PassOn(LogLevel level, string? line)
        {
            if (line is not null)
                OnLine(level, line);
        }
    }
}
