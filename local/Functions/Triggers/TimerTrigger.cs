namespace Sdxl.Local.Functions.Triggers;

/// <summary>
/// Fires one timer function at the times of its schedule. Times that pass while it runs, or while the host is down, are not made up for.
/// </summary>
internal sealed class TimerTrigger(FunctionInfo function, FunctionsHostOptions options, FunctionInvoker invoker, ILogger logger) : ITrigger
{
    // Timers of a runtime cannot wait longer than 49 days.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource cancelled = new();
    private Task running = Task.CompletedTask;

    public Task StartAsync()
    {
        var schedule = Schedule.Parse(options.Settings.Resolve(function.Trigger.Text("schedule") ?? ""));
        running = Task.Run(() => RunAsync(schedule));
        return Task.CompletedTask;
    }

    public async Task StopAsync(TimeSpan patience)
    {
        await stopping.CancelAsync();
        cancelled.CancelAfter(patience);
        await running;
    }

    private async Task RunAsync(Schedule schedule)
    {
        DateTimeOffset? last = null;
        var now = options.Time.GetUtcNow();
        if (function.Trigger.Flag("runOnStartup") == true)
            await FireAsync(last, schedule.Next(now));
        for (var next = schedule.Next(now); next is { } due; next = schedule.Next(now))
        {
            for (var left = due - now; left > TimeSpan.Zero; left = due - options.Time.GetUtcNow())
            {
                await Task.Delay(left < LongestWait ? left : LongestWait, options.Time, stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (stopping.IsCancellationRequested)
                    return;
            }
            await FireAsync(last, schedule.Next(due));
            last = due;
            now = options.Time.GetUtcNow() is var after && after > due ? after : due;
        }
    }

    private async Task FireAsync(DateTimeOffset? last, DateTimeOffset? next)
    {
        var info = new
        {
            ScheduleStatus = new { Last = Utc(last), Next = Utc(next), LastUpdated = Utc(last) },
            IsPastDue = false,
        };
        try
        {
            var response = await invoker.InvokeAsync(function.Name, Typed.Json(info), new Dictionary<string, TypedData>(), cancelled.Token);
            if (!response.Succeeded())
                logger.TimerFailed(function.Name, next, response.Error());
        }
        catch (Exception exception)
        {
            // No worker, no such function any more: its next time comes all the same.
            logger.TimerFailed(function.Name, next, exception.Message);
        }
    }

    private static DateTime Utc(DateTimeOffset? time) => (time ?? default).UtcDateTime;
}
