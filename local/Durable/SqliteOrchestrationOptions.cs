namespace Sdxl.Local.Durable;

/// <summary>How <see cref="SqliteOrchestrationService"/> hands out work.</summary>
public sealed record SqliteOrchestrationOptions
{
    /// <summary>Activities in progress at a time; 1 or more.</summary>
    public int MaxConcurrentActivities { get; init; } = 4;

    /// <summary>Orchestrations replayed at a time; 1 or more.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = 10;

    /// <summary>
    /// After this time without a renewal an activity is handed out again. The framework renews 30 s before the end, looking every 5 s, so
    /// at least a minute is wise. Measured by a clock that stands still while the machine sleeps.
    /// </summary>
    public TimeSpan ActivityLock { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The same for a step of an orchestration.</summary>
    public TimeSpan OrchestratorLock { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long abandoned work rests; without a rest, a worker that is down would be asked thousands of times a second.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Called before (false) and after (true) each commit with its number, from 1. Kill tests end the process here.</summary>
    internal Action<int, bool>? AroundCommit { get; init; }
}
