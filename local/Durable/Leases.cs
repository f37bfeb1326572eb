namespace Sdxl.Local.Durable;

/// <summary>
/// Who works on which row. Leases live in memory, as one process owns the file: they end with the process, which is exactly when they
/// must. Time is counted by the monotonic clock, which on Linux stands still in sleep: a laptop that wakes up has not lost its leases.
/// </summary>
/// <param name="time">Its timestamps, not its wall clock, are used.</param>
/// <param name="duration">After this time without renewal the row is free again.</param>
/// <param name="retryDelay">How long a row rests that was given back undone.</param>
/// <param name="maxResting">With so many rows at rest nothing is taken: then the worker is down rather than one row bad.</param>
internal sealed class Leases(TimeProvider time, TimeSpan duration, TimeSpan retryDelay, int maxResting)
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, Lease> leases = [];
    private readonly long start = time.GetTimestamp();
    private long lastToken;

    private TimeSpan Elapsed => time.GetElapsedTime(start);

    /// <summary>
    /// The rows that may not be taken now, as JSON array, and how long until the first of them is free; null Rows: take nothing at all.
    /// </summary>
    public (string? Rows, TimeSpan? FreeIn) Busy()
    {
        lock (gate)
        {
            var now = Elapsed;
            var busy = leases.Where(lease => lease.Value.Until > now).ToList();
            var isResting = busy.Count(lease => lease.Value.Token == 0) >= maxResting;
            TimeSpan? freeIn = busy.Count == 0 ? null : busy.Min(lease => lease.Value.Until) - now;
            return (isResting ? null : JsonSerializer.Serialize(busy.Select(lease => lease.Key)), freeIn);
        }
    }

    /// <returns>The token that proves the ownership.</returns>
    public long Take(long row)
    {
        lock (gate)
        {
            leases[row] = new Lease(++lastToken, Elapsed + duration);
            return lastToken;
        }
    }

    public bool Owns(long row, long token)
    {
        lock (gate)
            return leases.TryGetValue(row, out var lease) && lease.Token == token;
    }

    /// <summary>Whether somebody works on a row.</summary>
    public bool IsTaken(long row)
    {
        lock (gate)
            return leases.TryGetValue(row, out var lease) && lease.Token != 0;
    }

    /// <returns>False if another has taken the row meanwhile.</returns>
    public bool Renew(long row, long token) => Change(row, token, () => leases[row] = new Lease(token, Elapsed + duration));

    /// <summary>The work is done.</summary>
    public bool Return(long row, long token) => Change(row, token, () => leases.Remove(row));

    /// <summary>The work is not done; the row rests.</summary>
    public bool Abandon(long row, long token) => Change(row, token, () =>
    {
        // Rows at rest are few, so a look through them keeps the dictionary small; rows that are taken end otherwise.
        foreach (var (other, _) in leases.Where(lease => lease.Value.Token == 0 && lease.Value.Until <= Elapsed).ToList())
            leases.Remove(other);
        leases[row] = new Lease(0, Elapsed + retryDelay);
    });

    public void Clear()
    {
        lock (gate)
            leases.Clear();
    }

    private bool Change(long row, long token, Action change)
    {
        lock (gate)
        {
            if (!Owns(row, token))
                return false;
            change();
            return true;
        }
    }

    /// <param name="Token">0: nobody's, the row rests.</param>
    private readonly record struct Lease(long Token, TimeSpan Until);
}
