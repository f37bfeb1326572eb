using Microsoft.DurableTask.Client;

namespace Sdxl.Local.Durable;

/// <summary>What one turn of an orchestrator decided; stored in one transaction with the events that it consumed.</summary>
internal sealed record TurnOutcome
{
    /// <summary>The lines to append: the turn's start, the consumed events, the new calls.</summary>
    public required IReadOnlyList<HistoryEvent> NewHistory { get; init; }

    public IReadOnlyList<HistoryEvent> Activities { get; init; } = [];

    /// <summary>Timers by task id and due time.</summary>
    public IReadOnlyList<(int TaskId, DateTimeOffset DueAt)> Timers { get; init; } = [];

    public IReadOnlyList<int> CancelledTimers { get; init; } = [];

    public IReadOnlyList<SubOrchestrationStart> SubOrchestrations { get; init; } = [];

    public IReadOnlyList<(string InstanceId, string EventName, string? Payload)> SentEvents { get; init; } = [];

    /// <summary>Whether the orchestrator set a custom status in this execution.</summary>
    public bool CustomStatusIsSet { get; init; }

    public string? CustomStatus { get; init; }

    /// <summary>Completed or Failed; null while it goes on.</summary>
    public OrchestrationRuntimeStatus? End { get; init; }

    public string? Output { get; init; }

    public string? Failure { get; init; }

    /// <summary>Set where the orchestrator asked to restart with an empty history.</summary>
    public Restart? ContinueAsNew { get; init; }
}

/// <summary>A sub-orchestration to start.</summary>
internal sealed record SubOrchestrationStart(int TaskId, string Name, string InstanceId, string? Input, string Version);

/// <summary>A restart: the new input and the events that nobody has waited for yet.</summary>
internal sealed record Restart(string? Input, IReadOnlyList<HistoryEvent> CarriedEvents);
