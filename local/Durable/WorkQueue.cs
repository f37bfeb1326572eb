namespace Sdxl.Local.Durable;

/// <summary>
/// Who works on which row, and who waits for one. Leases live in memory, as one process owns the file: they end with the process, which is
/// exactly when they must. They are timed by the monotonic clock, which on Linux stands still in sleep: a laptop that wakes up has not lost
/// its leases.
/// </summary>
/// <param name="maxResting">With so many rows at rest nothing is taken: then the worker is down rather than one row bad.</param>
internal sealed class WorkQueue(SqliteFile file, TimeProvider time, SqliteOrchestrationOptions options, int maxResting)
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, Lease> leases = [];
    private readonly Signal changed = new();
    private readonly long start = time.GetTimestamp();

    private TimeSpan Elapsed => time.GetElapsedTime(start);

    /// <summary>Takes an item as soon as there is one. Waits for a change or the next due time, without looking again in between.</summary>
    /// <param name="take">Gets the rows that are not free, as JSON array; gives an item, or says when the next one is due.</param>
    /// <returns>Null (as the framework wants it) after the timeout or a cancellation.</returns>
    public async Task<T> TakeAsync<T>(
        Func<SqliteSession, string, (T? Item, TimeSpan? DueIn)> take, TimeSpan timeout, CancellationToken cancel)
        where T : class
    {
        var end = Elapsed + timeout;
        while (!cancel.IsCancellationRequested)
        {
            var change = changed.Next;
            var (item, dueIn) = file.Read(Look);
            var left = end - Elapsed;
            if (item is not null || left <= TimeSpan.Zero)
                return item!;
            var wait = dueIn < left ? dueIn.Value : left;
            // Whole milliseconds, rounded up: timers have no finer ones, and one that fires early would make us look in vain.
            await change.WaitAsync(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))), time, cancel)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return null!;

        (T?, TimeSpan?) Look(SqliteSession session)
        {
            var (busy, freeIn) = Busy();
            var (item, dueIn) = busy is null ? (null, null) : take(session, busy);
            return (item, dueIn is null || freeIn < dueIn ? freeIn : dueIn);
        }
    }

    /// <summary>There may be new work.</summary>
    public void Wake() => changed.Set();

    public Lease Lease(long row)
    {
        lock (gate)
            return leases[row] = new Lease(row, Elapsed + options.LockDuration, isResting: false);
    }

    public bool IsLeased(long row)
    {
        lock (gate)
            return leases.TryGetValue(row, out var lease) && !lease.IsResting;
    }

    /// <returns>False if it ran out, and another has taken the row.</returns>
    public bool Owns(Lease lease)
    {
        lock (gate)
            return leases.GetValueOrDefault(lease.Row) == lease;
    }

    /// <returns>Its new end.</returns>
    /// <exception cref="InvalidOperationException">It ran out, and another has taken the row.</exception>
    public DateTime Renew(Lease lease, string work)
    {
        lock (gate)
        {
            if (!Owns(lease))
                throw new InvalidOperationException($"{work} is no longer locked by this run.");
            lease.Until = Elapsed + options.LockDuration;
        }
        return time.GetUtcNow().UtcDateTime + options.LockDuration;
    }

    /// <summary>The work is done.</summary>
    public Task ReturnAsync(Lease lease) => ChangeAsync(lease, () => leases.Remove(lease.Row));

    /// <summary>The work is not done; the row rests.</summary>
    public Task AbandonAsync(Lease lease) => ChangeAsync(lease, () =>
    {
        // Rows at rest are few, so a look through them keeps the dictionary small; rows that are taken end otherwise.
        foreach (var other in leases.Values.Where(other => other.IsResting && other.Until <= Elapsed).ToList())
            leases.Remove(other.Row);
        leases[lease.Row] = new Lease(lease.Row, Elapsed + options.RetryDelay, isResting: true);
    });

    public void FreeAll()
    {
        lock (gate)
            leases.Clear();
        Wake();
    }

    private Task ChangeAsync(Lease lease, Action change)
    {
        lock (gate)
        {
            if (!Owns(lease))
                return Task.CompletedTask;
            change();
        }
        Wake();
        return Task.CompletedTask;
    }

    /// <returns>The rows that may not be taken now (null: take nothing), and how long until the first of them is free.</returns>
    private (string? Rows, TimeSpan? FreeIn) Busy()
    {
        lock (gate)
        {
            var now = Elapsed;
            var busy = leases.Values.Where(lease => lease.Until > now).ToList();
            TimeSpan? freeIn = busy.Count == 0 ? null : busy.Min(lease => lease.Until) - now;
            var isDown = busy.Count(lease => lease.IsResting) >= maxResting;
            return (isDown ? null : JsonSerializer.Serialize(busy.Select(lease => lease.Row)), freeIn);
        }
    }
}

internal sealed class Lease(long row, TimeSpan until, bool isResting)
{
    public long Row => row;
    public bool IsResting => isResting;
    public TimeSpan Until { get; set; } = until;
}

/// <summary>A step of an orchestration.</summary>
/// <param name="messages">Numbers of those that the step takes from the file.</param>
internal sealed class OrchestrationItem(Lease lease, IReadOnlyList<long> messages) : TaskOrchestrationWorkItem
{
    public Lease Lease => lease;
    public IReadOnlyList<long> Messages => messages;
}

internal sealed class ActivityItem(Lease lease) : TaskActivityWorkItem
{
    public Lease Lease => lease;
}
