using DurableTask.Core.Command;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>What an orchestrator decided, as the framework carries it out.</summary>
internal static class ActionProtos
{
    /// <exception cref="NotSupportedException">An action of entities, which this host does not do.</exception>
    public static OrchestratorAction ToFramework(P.OrchestratorAction action)
    {
        OrchestratorAction decided = action switch
        {
            { ScheduleTask: { } task } => new ScheduleTaskOrchestratorAction
                { Name = task.Name, Version = task.Version, Input = task.Input, Tags = new Dictionary<string, string>(task.Tags) },
            { CreateSubOrchestration: { } child } => new CreateSubOrchestrationAction
            {
                InstanceId = child.InstanceId, Name = child.Name, Version = child.Version, Input = child.Input,
                Tags = new Dictionary<string, string>(child.Tags),
            },
            { CreateTimer: { } timer } => new CreateTimerOrchestratorAction { FireAt = timer.FireAt.ToDateTime() },
            { SendEvent: { Instance: var to } sent } => new SendEventOrchestratorAction
            {
                Instance = new() { InstanceId = to.InstanceId, ExecutionId = to.ExecutionId }, EventName = sent.Name, EventData = sent.Data,
            },
            { CompleteOrchestration: { } completed } => Complete(completed),
            { OrchestratorActionTypeCase: var other } => throw new NotSupportedException(
                $"The orchestrator's action {other} is not supported by this host: it runs orchestrations and activities, no entities."),
        };
        decided.Id = action.Id;
        return decided;
    }

    public static OrchestratorExecutionResult Failed(FailureDetails failure, string? customStatus = null) => new()
    {
        CustomStatus = customStatus,
        Actions = [new OrchestrationCompleteOrchestratorAction
        {
            Id = -1, OrchestrationStatus = OrchestrationStatus.Failed, Result = failure.ErrorMessage, FailureDetails = failure,
        }],
    };

    private static OrchestrationCompleteOrchestratorAction Complete(P.CompleteOrchestrationAction completed)
    {
        var action = new OrchestrationCompleteOrchestratorAction
        {
            OrchestrationStatus = (OrchestrationStatus)completed.OrchestrationStatus,
            Result = completed.Result,
            Details = completed.Details,
            FailureDetails = completed.FailureDetails.ToFramework(),
            NewVersion = completed.NewVersion,
        };
        foreach (var early in completed.CarryoverEvents.Where(early => early.EventRaised is not null)) // nobody has waited for them yet
            action.CarryoverEvents.Add(new EventRaisedEvent(early.EventId, early.EventRaised.Input) { Name = early.EventRaised.Name });
        foreach (var (name, value) in completed.Tags)
            action.Tags[name] = value;
        return action;
    }
}
