using Google.Protobuf.WellKnownTypes;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>The framework's history events as the worker reads them.</summary>
internal static class HistoryProtos
{
    /// <exception cref="NotSupportedException">An event of entities or of rewinding, which this host does not do.</exception>
    public static P.HistoryEvent ToProto(HistoryEvent happened)
    {
        var proto = new P.HistoryEvent { EventId = happened.EventId, Timestamp = Time(happened.Timestamp) };
        switch (happened)
        {
            case ExecutionStartedEvent started:
                proto.ExecutionStarted = ToProto(started);
                break;
            case ExecutionTerminatedEvent terminated:
                proto.ExecutionTerminated = new() { Input = terminated.Input };
                break;
            case ExecutionSuspendedEvent suspended:
                proto.ExecutionSuspended = new() { Input = suspended.Reason };
                break;
            case ExecutionResumedEvent resumed:
                proto.ExecutionResumed = new() { Input = resumed.Reason };
                break;
            case ContinueAsNewEvent again: // before ExecutionCompletedEvent, which it derives from
                proto.ContinueAsNew = new() { Input = again.Result };
                break;
            case ExecutionCompletedEvent completed:
                proto.ExecutionCompleted = new()
                {
                    OrchestrationStatus = (P.OrchestrationStatus)completed.OrchestrationStatus,
                    Result = completed.Result,
                    FailureDetails = completed.FailureDetails.ToProto(),
                };
                break;
            case TaskScheduledEvent scheduled:
                proto.TaskScheduled = new() { Name = scheduled.Name, Version = scheduled.Version, Input = scheduled.Input };
                proto.TaskScheduled.Tags.Add(scheduled.Tags ?? Nothing);
                break;
            case TaskCompletedEvent completed:
                proto.TaskCompleted = new() { TaskScheduledId = completed.TaskScheduledId, Result = completed.Result };
                break;
            case TaskFailedEvent failed:
                proto.TaskFailed = new() { TaskScheduledId = failed.TaskScheduledId, FailureDetails = failed.FailureDetails.ToProto() };
                break;
            case SubOrchestrationInstanceCreatedEvent created:
                proto.SubOrchestrationInstanceCreated = new()
                {
                    InstanceId = created.InstanceId,
                    Name = created.Name,
                    Version = created.Version,
                    Input = created.Input,
                };
                break;
            case SubOrchestrationInstanceCompletedEvent completed:
                proto.SubOrchestrationInstanceCompleted = new() { TaskScheduledId = completed.TaskScheduledId, Result = completed.Result };
                break;
            case SubOrchestrationInstanceFailedEvent failed:
                proto.SubOrchestrationInstanceFailed = new()
                {
                    TaskScheduledId = failed.TaskScheduledId,
                    FailureDetails = failed.FailureDetails.ToProto(),
                };
                break;
            case TimerCreatedEvent created:
                proto.TimerCreated = new() { FireAt = Time(created.FireAt) };
                break;
            case TimerFiredEvent fired:
                proto.TimerFired = new() { TimerId = fired.TimerId, FireAt = Time(fired.FireAt) };
                break;
            case OrchestratorStartedEvent:
                proto.OrchestratorStarted = new();
                break;
            case OrchestratorCompletedEvent:
                proto.OrchestratorCompleted = new();
                break;
            case EventSentEvent sent:
                proto.EventSent = new() { InstanceId = sent.InstanceId, Name = sent.Name, Input = sent.Input };
                break;
            case EventRaisedEvent raised:
                proto.EventRaised = new() { Name = raised.Name, Input = raised.Input };
                break;
            case GenericEvent generic:
                proto.GenericEvent = new() { Data = generic.Data };
                break;
            default:
                throw new NotSupportedException($"History events of type {happened.EventType} are not supported by this host.");
        }
        return proto;
    }

    /// <summary>Stores may give times back without their kind; all of the framework's are UTC.</summary>
    public static Timestamp Time(DateTime utc) => Timestamp.FromDateTime(DateTime.SpecifyKind(utc, DateTimeKind.Utc));

    private static readonly Dictionary<string, string> Nothing = [];

    private static P.ExecutionStartedEvent ToProto(ExecutionStartedEvent started)
    {
        var proto = new P.ExecutionStartedEvent
        {
            Name = started.Name,
            Version = started.Version,
            Input = started.Input,
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
        proto.Tags.Add(started.Tags ?? Nothing);
        return proto;
    }

    private static P.OrchestrationInstance ToProto(OrchestrationInstance instance) =>
        new() { InstanceId = instance.InstanceId, ExecutionId = instance.ExecutionId };
}
