using DurableTask.Core.Command;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>What an orchestrator decided, as the framework carries it out.</summary>
internal static class ActionProtos
{
    /// <exception cref="NotSupportedException">An action of entities, which this host does not do.</exception>
    public static OrchestratorAction ToFramework(P.OrchestratorAction action) => action.OrchestratorActionTypeCase switch
    {
        P.OrchestratorAction.OrchestratorActionTypeOneofCase.ScheduleTask => new ScheduleTaskOrchestratorAction
        {
            Id = action.Id,
            Name = action.ScheduleTask.Name,
            Version = action.ScheduleTask.Version,
            Input = action.ScheduleTask.Input,
            Tags = new Dictionary<string, string>(action.ScheduleTask.Tags),
        },
        P.OrchestratorAction.OrchestratorActionTypeOneofCase.CreateSubOrchestration => new CreateSubOrchestrationAction
        {
            Id = action.Id,
            InstanceId = action.CreateSubOrchestration.InstanceId,
            Name = action.CreateSubOrchestration.Name,
            Version = action.CreateSubOrchestration.Version,
            Input = action.CreateSubOrchestration.Input,
            Tags = new Dictionary<string, string>(action.CreateSubOrchestration.Tags),
        },
        P.OrchestratorAction.OrchestratorActionTypeOneofCase.CreateTimer => new CreateTimerOrchestratorAction
        {
            Id = action.Id,
            FireAt = action.CreateTimer.FireAt.ToDateTime(),
        },
        P.OrchestratorAction.OrchestratorActionTypeOneofCase.SendEvent => new SendEventOrchestratorAction
        {
            Id = action.Id,
            Instance = new OrchestrationInstance
            {
                InstanceId = action.SendEvent.Instance.InstanceId,
                ExecutionId = action.SendEvent.Instance.ExecutionId,
            },
            EventName = action.SendEvent.Name,
            EventData = action.SendEvent.Data,
        },
        P.OrchestratorAction.OrchestratorActionTypeOneofCase.CompleteOrchestration => Complete(action.Id, action.CompleteOrchestration),
        var other => throw new NotSupportedException(
            $"The orchestrator's action {other} is not supported by this host: it runs orchestrations and activities, no entities."),
    };

    public static OrchestrationCompleteOrchestratorAction Failed(FailureDetails failure) => new()
    {
        Id = -1,
        OrchestrationStatus = OrchestrationStatus.Failed,
        Result = failure.ErrorMessage,
        FailureDetails = failure,
    };

    private static OrchestrationCompleteOrchestratorAction Complete(int id, P.CompleteOrchestrationAction completed)
    {
        var action = new OrchestrationCompleteOrchestratorAction
        {
            Id = id,
            OrchestrationStatus = (OrchestrationStatus)completed.OrchestrationStatus,
            Result = completed.Result,
            Details = completed.Details,
            FailureDetails = completed.FailureDetails.ToFramework(),
            NewVersion = completed.NewVersion,
        };
        // Events nobody has waited for yet.
        foreach (var carried in completed.CarryoverEvents.Where(carried => carried.EventRaised is not null))
            action.CarryoverEvents.Add(
                new EventRaisedEvent(carried.EventId, carried.EventRaised.Input) { Name = carried.EventRaised.Name });
        foreach (var (name, value) in completed.Tags)
            action.Tags[name] = value;
        return action;
    }
}
