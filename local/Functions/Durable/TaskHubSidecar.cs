using DurableTask.Core.Tracing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using RpcException = Grpc.Core.RpcException;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>What the app's DurableTaskClient calls: starts, signals, reads, lists and purges orchestrations.</summary>
internal sealed class TaskHubSidecar(IOrchestrationServiceClient client) : P.TaskHubSidecarService.TaskHubSidecarServiceBase
{
    private static readonly OrchestrationStatus[] Unfinished =
        [OrchestrationStatus.Running, OrchestrationStatus.Pending, OrchestrationStatus.Suspended];
    private static readonly TimeSpan StartPoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    public override Task<Empty> Hello(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

    public override async Task<P.CreateInstanceResponse> StartInstance(P.CreateInstanceRequest request, ServerCallContext context)
    {
        var instance = new OrchestrationInstance
        {
            InstanceId = request.InstanceId.Length > 0 ? request.InstanceId : Guid.NewGuid().ToString("N"),
            ExecutionId = Guid.NewGuid().ToString("N"),
        };
        var started = new ExecutionStartedEvent(-1, request.Input)
        {
            Name = request.Name,
            Version = request.Version ?? "",
            OrchestrationInstance = instance,
            ScheduledStartTime = request.ScheduledStartTimestamp?.ToDateTime(),
            Tags = new Dictionary<string, string>(request.Tags),
            ParentTraceContext = request.ParentTraceContext is { TraceParent.Length: > 0 } trace
                ? new DistributedTraceContext(trace.TraceParent, trace.TraceState)
                : null,
        };
        try
        {
            await client.CreateTaskOrchestrationAsync(
                new TaskMessage { OrchestrationInstance = instance, Event = started }, Kept(request.OrchestrationIdReusePolicy));
        }
        catch (OrchestrationAlreadyExistsException exception)
        {
            throw new RpcException(new Status(StatusCode.AlreadyExists, exception.Message));
        }
        return new P.CreateInstanceResponse { InstanceId = instance.InstanceId };
    }

    public override async Task<P.GetInstanceResponse> GetInstance(P.GetInstanceRequest request, ServerCallContext context) =>
        await Find(request.InstanceId) is { } state ? Answer(state, request) : new P.GetInstanceResponse { Exists = false };

    public override async Task<P.GetInstanceResponse> WaitForInstanceStart(P.GetInstanceRequest request, ServerCallContext context)
    {
        while (true)
        {
            if (await Get(request.InstanceId) is { OrchestrationStatus: not OrchestrationStatus.Pending } state)
                return Answer(state, request);
            await Task.Delay(StartPoll, context.CancellationToken); // the framework tells only of ends
        }
    }

    public override async Task<P.GetInstanceResponse> WaitForInstanceCompletion(P.GetInstanceRequest request, ServerCallContext context)
    {
        await Get(request.InstanceId);
        var state = await client.WaitForOrchestrationAsync(request.InstanceId, executionId: null!, LongestWait, context.CancellationToken);
        return Answer(state ?? await Get(request.InstanceId), request);
    }

    /// <remarks>As in Azure, an event for an instance that is not there is dropped.</remarks>
    public override async Task<P.RaiseEventResponse> RaiseEvent(P.RaiseEventRequest request, ServerCallContext context)
    {
        if (await Find(request.InstanceId) is not null)
            await Send(request.InstanceId, new EventRaisedEvent(-1, request.Input) { Name = request.Name });
        return new P.RaiseEventResponse();
    }

    public override async Task<P.TerminateResponse> TerminateInstance(P.TerminateRequest request, ServerCallContext context)
    {
        await Unended(request.InstanceId, "terminated");
        await client.ForceTerminateTaskOrchestrationAsync(request.InstanceId, request.Output);
        return new P.TerminateResponse();
    }

    public override async Task<P.SuspendResponse> SuspendInstance(P.SuspendRequest request, ServerCallContext context)
    {
        await Unended(request.InstanceId, "suspended");
        await Send(request.InstanceId, new ExecutionSuspendedEvent(-1, request.Reason));
        return new P.SuspendResponse();
    }

    public override async Task<P.ResumeResponse> ResumeInstance(P.ResumeRequest request, ServerCallContext context)
    {
        await Unended(request.InstanceId, "resumed");
        await Send(request.InstanceId, new ExecutionResumedEvent(-1, request.Reason));
        return new P.ResumeResponse();
    }

    public override async Task<P.QueryInstancesResponse> QueryInstances(P.QueryInstancesRequest request, ServerCallContext context)
    {
        var query = request.Query;
        var found = await Ask<IOrchestrationServiceQueryClient>("queries").GetOrchestrationWithQueryAsync(
            new OrchestrationQuery
            {
                RuntimeStatus = Statuses(query.RuntimeStatus),
                CreatedTimeFrom = query.CreatedTimeFrom?.ToDateTime(),
                CreatedTimeTo = query.CreatedTimeTo?.ToDateTime(),
                PageSize = query.MaxInstanceCount,
                ContinuationToken = query.ContinuationToken,
                InstanceIdPrefix = query.InstanceIdPrefix,
                FetchInputsAndOutputs = query.FetchInputsAndOutputs,
            },
            context.CancellationToken);
        var response = new P.QueryInstancesResponse { ContinuationToken = found.ContinuationToken };
        response.OrchestrationState.AddRange(found.OrchestrationState.Select(state => ToProto(state, query.FetchInputsAndOutputs)));
        return response;
    }

    public override async Task<P.PurgeInstancesResponse> PurgeInstances(P.PurgeInstancesRequest request, ServerCallContext context)
    {
        var purger = Ask<IOrchestrationServicePurgeClient>("purges");
        var purged = 0;
        switch (request.RequestCase)
        {
            case P.PurgeInstancesRequest.RequestOneofCase.PurgeInstanceFilter:
                var filter = request.PurgeInstanceFilter;
                var from = filter.CreatedTimeFrom?.ToDateTime() ?? DateTime.MinValue;
                var ended = new PurgeInstanceFilter(from, filter.CreatedTimeTo?.ToDateTime(), Statuses(filter.RuntimeStatus));
                purged = (await purger.PurgeInstanceStateAsync(ended)).DeletedInstanceCount;
                break;
            case P.PurgeInstancesRequest.RequestOneofCase.InstanceBatch:
                foreach (var id in request.InstanceBatch.InstanceIds)
                    purged += (await purger.PurgeInstanceStateAsync(id)).DeletedInstanceCount;
                break;
            default:
                purged = (await purger.PurgeInstanceStateAsync(request.InstanceId)).DeletedInstanceCount;
                break;
        }
        return new P.PurgeInstancesResponse { DeletedInstanceCount = purged, IsComplete = true };
    }

    /// <summary>The statuses in which an existing instance is kept and the start refused.</summary>
    private static OrchestrationStatus[] Kept(P.OrchestrationIdReusePolicy? policy) => policy is { ReplaceableStatus.Count: > 0 }
        ? [.. System.Enum.GetValues<OrchestrationStatus>().Except(policy.ReplaceableStatus.Select(status => (OrchestrationStatus)status))]
        : Unfinished;

    private static List<OrchestrationStatus>? Statuses(IReadOnlyCollection<P.OrchestrationStatus> statuses) =>
        statuses.Count == 0 ? null : [.. statuses.Select(status => (OrchestrationStatus)status)];

    private static P.GetInstanceResponse Answer(OrchestrationState state, P.GetInstanceRequest request) =>
        new() { Exists = true, OrchestrationState = ToProto(state, request.GetInputsAndOutputs) };

    private static P.OrchestrationState ToProto(OrchestrationState state, bool withPayloads)
    {
        var proto = new P.OrchestrationState
        {
            InstanceId = state.OrchestrationInstance.InstanceId,
            ExecutionId = state.OrchestrationInstance.ExecutionId,
            Name = state.Name,
            Version = state.Version,
            OrchestrationStatus = (P.OrchestrationStatus)state.OrchestrationStatus,
            ScheduledStartTimestamp = state.ScheduledStartTime is { } at ? HistoryProtos.Time(at) : null,
            CreatedTimestamp = HistoryProtos.Time(state.CreatedTime),
            LastUpdatedTimestamp = HistoryProtos.Time(state.LastUpdatedTime),
            CompletedTimestamp = IsUnended(state) ? null : HistoryProtos.Time(state.CompletedTime),
            ParentInstanceId = state.ParentInstance?.OrchestrationInstance.InstanceId,
            CustomStatus = withPayloads ? state.Status : null,
            Input = withPayloads ? state.Input : null,
            Output = withPayloads ? state.Output : null,
            FailureDetails = withPayloads ? state.FailureDetails.ToProto() : null,
        };
        proto.Tags.Add(state.Tags ?? new Dictionary<string, string>());
        return proto;
    }

    private static bool IsUnended(OrchestrationState state) =>
        Unfinished.Contains(state.OrchestrationStatus) || state.OrchestrationStatus == OrchestrationStatus.ContinuedAsNew;

    private Task Send(string instanceId, HistoryEvent happened) => client.SendTaskOrchestrationMessageAsync(
        new TaskMessage { OrchestrationInstance = new OrchestrationInstance { InstanceId = instanceId }, Event = happened });

    private async Task<OrchestrationState?> Find(string instanceId) =>
        await client.GetOrchestrationStateAsync(instanceId, executionId: null!);

    private async Task<OrchestrationState> Get(string instanceId) => await Find(instanceId)
        ?? throw new RpcException(new Status(StatusCode.NotFound, $"No orchestration has the id '{instanceId}'."));

    private async Task Unended(string instanceId, string action)
    {
        if (await Get(instanceId) is { } state && !IsUnended(state))
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"Orchestration '{instanceId}' cannot be {action}: it has ended as {state.OrchestrationStatus}."));
        }
    }

    private T Ask<T>(string what)
        where T : class => client as T
        ?? throw new RpcException(
            new Status(StatusCode.Unimplemented, $"{client.GetType().Name} does not do {what} (no {typeof(T).Name})."));
}
