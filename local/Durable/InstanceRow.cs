using Microsoft.DurableTask.Client;

namespace Sdxl.Local.Durable;

/// <summary>An orchestration's row.</summary>
/// <param name="Execution">Counts the restarts by ContinueAsNew; results meant for an earlier execution are dropped.</param>
internal sealed record InstanceRow(
    string Id,
    int Execution,
    string Name,
    string Version,
    OrchestrationRuntimeStatus Status,
    string? Input,
    string? Output,
    string? CustomStatus,
    string? Failure,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    string? ParentId,
    int ParentExecution,
    int ParentTaskId,
    string? ParentName,
    string Tags)
{
    public bool HasEnded => Status
        is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;
}
