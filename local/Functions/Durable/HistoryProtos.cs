using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>The framework's history events as the worker reads them.</summary>
internal static class HistoryProtos
{
    private static readonly Dictionary<string, string> NoTags = [];

    /// <exception cref="NotSupportedException">An event of entities or of rewinding, which this host does not do.</exception>
    public static P.HistoryEvent ToProto(HistoryEvent happened)
    {
        var proto = new P.HistoryEvent { EventId = happened.EventId, Timestamp = Time(happened.Timestamp) };
        IMessage _ = happened switch
        {
            ExecutionStartedEvent e => proto.ExecutionStarted = ToProto(e),
            ExecutionTerminatedEvent e => proto.ExecutionTerminated = new() { Input = e.Input },
            ExecutionSuspendedEvent e => proto.ExecutionSuspended = new() { Input = e.Reason },
            ExecutionResumedEvent e => proto.ExecutionResumed = new() { Input = e.Reason },
            TaskScheduledEvent e => proto.TaskScheduled =
                new() { Name = e.Name, Version = e.Version, Input = e.Input, Tags = { e.Tags ?? NoTags } },
            TaskCompletedEvent e => proto.TaskCompleted = new() { TaskScheduledId = e.TaskScheduledId, Result = e.Result },
            TaskFailedEvent e => proto.TaskFailed =
                new() { TaskScheduledId = e.TaskScheduledId, FailureDetails = e.FailureDetails.ToProto() },
            SubOrchestrationInstanceCreatedEvent e => proto.SubOrchestrationInstanceCreated =
                new() { InstanceId = e.InstanceId, Name = e.Name, Version = e.Version, Input = e.Input },
            SubOrchestrationInstanceCompletedEvent e => proto.SubOrchestrationInstanceCompleted =
                new() { TaskScheduledId = e.TaskScheduledId, Result = e.Result },
            SubOrchestrationInstanceFailedEvent e => proto.SubOrchestrationInstanceFailed =
                new() { TaskScheduledId = e.TaskScheduledId, FailureDetails = e.FailureDetails.ToProto() },
            TimerCreatedEvent e => proto.TimerCreated = new() { FireAt = Time(e.FireAt) },
            TimerFiredEvent e => proto.TimerFired = new() { TimerId = e.TimerId, FireAt = Time(e.FireAt) },
            OrchestratorStartedEvent => proto.OrchestratorStarted = new(),
            OrchestratorCompletedEvent => proto.OrchestratorCompleted = new(),
            EventSentEvent e => proto.EventSent = new() { InstanceId = e.InstanceId, Name = e.Name, Input = e.Input },
            EventRaisedEvent e => proto.EventRaised = new() { Name = e.Name, Input = e.Input },
            GenericEvent e => proto.GenericEvent = new() { Data = e.Data },
            ContinueAsNewEvent e => proto.ContinueAsNew = new() { Input = e.Result }, // before its base class
            ExecutionCompletedEvent { OrchestrationStatus: var end } e => proto.ExecutionCompleted =
                new() { OrchestrationStatus = (P.OrchestrationStatus)end, Result = e.Result, FailureDetails = e.FailureDetails.ToProto() },
            _ => throw new NotSupportedException($"History events of type {happened.EventType} are not supported by this host."),
        };
        return proto;
    }

    /// <summary>Stores may give times back without their kind; all of the framework's are UTC.</summary>
    public static Timestamp Time(DateTime utc) => Timestamp.FromDateTime(DateTime.SpecifyKind(utc, DateTimeKind.Utc));

    private static P.ExecutionStartedEvent ToProto(ExecutionStartedEvent started) => new()
    {
        Name = started.Name,
        Version = started.Version,
        Input = started.Input,
        Tags = { started.Tags ?? NoTags },
        OrchestrationInstance = ToProto(started.OrchestrationInstance),
        ScheduledStartTimestamp = started.ScheduledStartTime is { } at ? Time(at) : null,
        ParentInstance = started.ParentInstance is not { } parent ? null : new()
        {
            Name = parent.Name,
            Version = parent.Version,
            TaskScheduledId = parent.TaskScheduleId,
            OrchestrationInstance = ToProto(parent.OrchestrationInstance),
        },
    };

    private static P.OrchestrationInstance ToProto(OrchestrationInstance instance) =>
        new() { InstanceId = instance.InstanceId, ExecutionId = instance.ExecutionId };
}
