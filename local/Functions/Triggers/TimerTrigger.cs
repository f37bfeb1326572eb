namespace Sdxl.Local.Functions.Triggers;

/// <summary>Fires one timer function. Times that pass while it runs, or while the host is down, are not made up for.</summary>
internal sealed class TimerTrigger(FunctionInfo function, HostContext host, WorkerSupervisor supervisor)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1); // a runtime's timers cannot wait longer than 49

    /// <returns>Ends with the host, after the function if it runs then.</returns>
    /// <exception cref="InvalidOperationException">The schedule or a setting is wrong; the message says what to do.</exception>
    public Task Start()
    {
        var next = Schedule.Parse(host.Options.Settings.Resolve(function.Trigger.Text("schedule") ?? ""));
        return Task.Run(() => RunAsync(next));
    }

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
