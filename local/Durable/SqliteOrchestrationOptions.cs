namespace Sdxl.Local.Durable;

/// <summary>How <see cref="SqliteOrchestrationService"/> hands out work.</summary>
public sealed record SqliteOrchestrationOptions
{
    /// <summary>Activities in progress at a time; 1 or more.</summary>
    public int MaxConcurrentActivities { get; init; } = 4;

    /// <summary>Orchestrations replayed at a time; 1 or more.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = 10;

    /// <summary>
    /// After this time without a renewal an activity, or a step of an orchestration, is handed out again. The framework renews 30 s before
    /// the end, looking every 5 s, so at least a minute is wise. Measured by a clock that stands still while the machine sleeps.
    /// </summary>
    public TimeSpan LockDuration { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long abandoned work rests; without a rest, a worker that is down would be asked thousands of times a second.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Called before each commit; what it returns is called after it. Kill tests end the process here.</summary>
    internal Func<SqliteSession, Action<Exception?>> AtCommit { get; init; } = _ => _ => { };
}
