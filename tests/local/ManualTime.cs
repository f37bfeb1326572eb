namespace Sdxl.Tests;

/// <summary>A clock that stands still until it is told to go on; timers fire inside <see cref="Advance"/>.</summary>
/// <param name="start">Noon of 2026-01-01, if none is given; the present for those who compare it with their own clock.</param>
public sealed class ManualTime(DateTimeOffset? start = null) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private DateTimeOffset now = start ?? new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private TaskCompletionSource timerSet = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when someone waits for a time that has not come.</summary>
    public Task WaitsAsync()
    {
        lock (gate)
        {
            if (timers.Count > 0)
                return Task.CompletedTask;
            timerSet = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return timerSet.Task;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (gate)
        {
            now += by;
            due = timers.FindAll(timer => timer.DueAt <= now);
            timers.RemoveAll(due.Contains);
        }
        due.ForEach(timer => timer.Fire());
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        public DateTimeOffset DueAt { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                DueAt = time.now + dueTime;
                time.timers.Add(this);
                time.timerSet.TrySetResult();
            }
            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
