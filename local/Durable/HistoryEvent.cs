namespace Sdxl.Local.Durable;

/// <summary>What can stand in an orchestration's history. The names are stored: never rename one.</summary>
internal enum HistoryKind
{
    /// <summary>A turn began; its time is the orchestration's clock for the events after it.</summary>
    TurnStarted,

    /// <summary>The orchestration's first event.</summary>
    Started,

    ActivityScheduled,
    ActivityCompleted,
    ActivityFailed,
    TimerCreated,
    TimerFired,
    SubOrchestrationCreated,
    SubOrchestrationCompleted,
    SubOrchestrationFailed,
    EventSent,
    EventRaised,

    // These four only pass through the inbox; they change the instance's row and leave no trace in the history.
    Terminate,
    Suspend,
    Resume,

    /// <summary>The orchestrator awaited something that is not durable, which ended after the turn.</summary>
    Strayed,
}

/// <summary>One line of an orchestration's history, or of its inbox before it becomes history.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="At">When.</param>
/// <param name="TaskId">The number of the call that this event belongs to (0 is the orchestrator's first call); -1 where it belongs to none.</param>
/// <param name="Name">Activity, orchestrator or event name.</param>
/// <param name="Payload">Input, result, event or output as JSON.</param>
/// <param name="Failure">Why the task failed, as JSON of TaskFailureDetails.</param>
internal sealed record HistoryEvent(
    HistoryKind Kind, DateTimeOffset At, int TaskId = -1, string? Name = null, string? Payload = null, string? Failure = null);
