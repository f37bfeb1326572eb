namespace Sdxl.Local.Functions.Triggers;

/// <summary>Fires one timer function. Times that pass while it runs, or while the host is down, are not made up for.</summary>
internal sealed class TimerTrigger : IAsyncDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1); // a runtime's timers cannot wait longer than 49

    private readonly FunctionInfo function;
    private readonly HostContext host;
    private readonly WorkerSupervisor supervisor;
    private readonly Task running;

    /// <exception cref="InvalidOperationException">The schedule or a setting is wrong; the message says what to do.</exception>
    public TimerTrigger(FunctionInfo function, HostContext host, WorkerSupervisor supervisor)
    {
        (this.function, this.host, this.supervisor) = (function, host, supervisor);
        var next = Schedule.Parse(host.Options.Settings.Resolve(function.Trigger.Text("schedule") ?? ""));
        running = Task.Run(() => RunAsync(next));
    }

    /// <summary>Waits for the function, if it runs, at the host's end.</summary>
    public ValueTask DisposeAsync() => new(running);

    private async Task RunAsync(Func<DateTimeOffset, DateTimeOffset?> next)
    {
        DateTimeOffset? last = null;
        var now = DateTimeOffset.UtcNow;
        if (function.Trigger.Flag("runOnStartup") == true)
            await FireAsync(last, next(now));
        while (next(now) is { } due)
        {
            for (var left = due - now; left > TimeSpan.Zero; left = due - DateTimeOffset.UtcNow)
            {
                await Task.Delay(left < LongestWait ? left : LongestWait, host.Stopping)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (host.Stopping.IsCancellationRequested)
                    return;
            }
            await FireAsync(last, next(due));
            last = due;
            now = DateTimeOffset.UtcNow is var after && after > due ? after : due;
        }
    }

    private async Task FireAsync(DateTimeOffset? last, DateTimeOffset? next)
    {
        var (lastUtc, nextUtc) = (last.GetValueOrDefault().UtcDateTime, next.GetValueOrDefault().UtcDateTime);
        var info = new { ScheduleStatus = new { Last = lastUtc, Next = nextUtc, LastUpdated = lastUtc }, IsPastDue = false };
        if (await supervisor.TryInvokeAsync(function, Typed.Json(info), []) is { } error)
            host.Logger.TimerFailed(function.Name, next, error);
    }
}
