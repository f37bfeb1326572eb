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
        P.HistoryEvent proto = happened switch
        {
            ExecutionStartedEvent e => new() { ExecutionStarted = ToProto(e) },
            ExecutionTerminatedEvent e => new() { ExecutionTerminated = new() { Input = e.Input } },
            ExecutionSuspendedEvent e => new() { ExecutionSuspended = new() { Input = e.Reason } },
            ExecutionResumedEvent e => new() { ExecutionResumed = new() { Input = e.Reason } },
            ContinueAsNewEvent e => new() { ContinueAsNew = new() { Input = e.Result } }, // before its base class, ExecutionCompletedEvent
            ExecutionCompletedEvent e => new()
            {
                ExecutionCompleted = new()
                {
                    OrchestrationStatus = (P.OrchestrationStatus)e.OrchestrationStatus,
                    Result = e.Result,
                    FailureDetails = e.FailureDetails.ToProto(),
                },
            },
            TaskScheduledEvent e => new()
            {
                TaskScheduled = new() { Name = e.Name, Version = e.Version, Input = e.Input, Tags = { e.Tags ?? NoTags } },
            },
            TaskCompletedEvent e => new() { TaskCompleted = new() { TaskScheduledId = e.TaskScheduledId, Result = e.Result } },
            TaskFailedEvent e => new()
            {
                TaskFailed = new() { TaskScheduledId = e.TaskScheduledId, FailureDetails = e.FailureDetails.ToProto() },
            },
            SubOrchestrationInstanceCreatedEvent e => new()
            {
                SubOrchestrationInstanceCreated = new()
                {
                    InstanceId = e.InstanceId, Name = e.Name, Version = e.Version, Input = e.Input,
                },
            },
            SubOrchestrationInstanceCompletedEvent e => new()
            {
                SubOrchestrationInstanceCompleted = new() { TaskScheduledId = e.TaskScheduledId, Result = e.Result },
            },
            SubOrchestrationInstanceFailedEvent e => new()
            {
                SubOrchestrationInstanceFailed = new()
                {
                    TaskScheduledId = e.TaskScheduledId, FailureDetails = e.FailureDetails.ToProto(),
                },
            },
            TimerCreatedEvent e => new() { TimerCreated = new() { FireAt = Time(e.FireAt) } },
            TimerFiredEvent e => new() { TimerFired = new() { TimerId = e.TimerId, FireAt = Time(e.FireAt) } },
            OrchestratorStartedEvent => new() { OrchestratorStarted = new() },
            OrchestratorCompletedEvent => new() { OrchestratorCompleted = new() },
            EventSentEvent e => new() { EventSent = new() { InstanceId = e.InstanceId, Name = e.Name, Input = e.Input } },
            EventRaisedEvent e => new() { EventRaised = new() { Name = e.Name, Input = e.Input } },
            GenericEvent e => new() { GenericEvent = new() { Data = e.Data } },
            _ => throw new NotSupportedException($"History events of type {happened.EventType} are not supported by this host."),
        };
        proto.EventId = happened.EventId;
        proto.Timestamp = Time(happened.Timestamp);
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
