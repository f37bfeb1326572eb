using DurableTask.Core.Tracing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using RpcException = Grpc.Core.RpcException;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>What the app's DurableTaskClient calls: starts, signals, reads, lists and purges orchestrations.</summary>
internal sealed class TaskHubSidecar(SqliteOrchestrationService store) : P.TaskHubSidecarService.TaskHubSidecarServiceBase
{
    // In these an existing instance is kept and the start refused, unless the app says otherwise.
    private static readonly OrchestrationStatus[] Unfinished =
        [OrchestrationStatus.Running, OrchestrationStatus.Pending, OrchestrationStatus.Suspended];

    /// <summary>The binding data of durable clients. Sizes and times are generous: all of it stays on this machine.</summary>
    public static string ClientJson(Uri grpc, string publicUrl) => JsonSerializer.Serialize(new
    {
        taskHubName = "local",
        connectionName = (string?)null,
        rpcBaseUrl = grpc.ToString().TrimEnd('/'),
        requiredQueryStringParameters = "",
        httpBaseUrl = $"{publicUrl.TrimEnd('/')}/runtime/webhooks/durabletask", // not served; the client only builds links from it
        maxGrpcMessageSizeInBytes = int.MaxValue, // left out it would mean 0
        grpcHttpClientTimeout = "\"00:10:00\"", // JSON within JSON
    });

    public override Task<Empty> Hello(Empty request, ServerCallContext context) => Task.FromResult(request);

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
            ParentTraceContext = request.ParentTraceContext is not { TraceParent.Length: > 0 } trace ? null
                : new DistributedTraceContext(trace.TraceParent, trace.TraceState),
        };
        var kept = Statuses(request.OrchestrationIdReusePolicy?.ReplaceableStatus) is { } replaceable
            ? [.. System.Enum.GetValues<OrchestrationStatus>().Except(replaceable)]
            : Unfinished;
        try
        {
            await store.CreateTaskOrchestrationAsync(new() { OrchestrationInstance = instance, Event = started }, kept);
        }
        catch (OrchestrationAlreadyExistsException exception)
        {
            throw new RpcException(new Status(StatusCode.AlreadyExists, exception.Message));
        }
        return new P.CreateInstanceResponse { InstanceId = instance.InstanceId };
    }

    public override async Task<P.GetInstanceResponse> GetInstance(P.GetInstanceRequest request, ServerCallContext context) =>
        await Find(request.InstanceId) is { } state ? Answer(state, request) : new P.GetInstanceResponse { Exists = false };

    public override Task<P.GetInstanceResponse> WaitForInstanceStart(P.GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(request, state => state.OrchestrationStatus != OrchestrationStatus.Pending, context.CancellationToken);

    public override Task<P.GetInstanceResponse> WaitForInstanceCompletion(P.GetInstanceRequest request, ServerCallContext context) =>
        WaitAsync(request, state => state.OrchestrationStatus.HasEnded(), context.CancellationToken);

    /// <remarks>As in Azure, an event for an instance that is not there is dropped.</remarks>
    public override Task<P.RaiseEventResponse> RaiseEvent(P.RaiseEventRequest request, ServerCallContext context) =>
        TellAsync(request.InstanceId, new EventRaisedEvent(-1, request.Input) { Name = request.Name }, new P.RaiseEventResponse());

    public override async Task<P.SuspendResponse> SuspendInstance(P.SuspendRequest request, ServerCallContext context)
    {
        await RequireUnended(request.InstanceId, "suspended");
        return await TellAsync(request.InstanceId, new ExecutionSuspendedEvent(-1, request.Reason), new P.SuspendResponse());
    }

    public override async Task<P.ResumeResponse> ResumeInstance(P.ResumeRequest request, ServerCallContext context)
    {
        await RequireUnended(request.InstanceId, "resumed");
        return await TellAsync(request.InstanceId, new ExecutionResumedEvent(-1, request.Reason), new P.ResumeResponse());
    }

    public override async Task<P.TerminateResponse> TerminateInstance(P.TerminateRequest request, ServerCallContext context)
    {
        await RequireUnended(request.InstanceId, "terminated");
        await store.ForceTerminateTaskOrchestrationAsync(request.InstanceId, request.Output);
        return new P.TerminateResponse();
    }

    public override async Task<P.QueryInstancesResponse> QueryInstances(P.QueryInstancesRequest request, ServerCallContext context)
    {
        var query = new OrchestrationQuery
        {
            RuntimeStatus = Statuses(request.Query.RuntimeStatus),
            CreatedTimeFrom = request.Query.CreatedTimeFrom?.ToDateTime(),
            CreatedTimeTo = request.Query.CreatedTimeTo?.ToDateTime(),
            PageSize = request.Query.MaxInstanceCount,
            ContinuationToken = request.Query.ContinuationToken,
            InstanceIdPrefix = request.Query.InstanceIdPrefix,
            FetchInputsAndOutputs = request.Query.FetchInputsAndOutputs,
        };
        var found = await store.GetOrchestrationWithQueryAsync(query, context.CancellationToken);
        var response = new P.QueryInstancesResponse { ContinuationToken = found.ContinuationToken };
        response.OrchestrationState.AddRange(found.OrchestrationState.Select(state => ToProto(state, query.FetchInputsAndOutputs)));
        return response;
    }

    public override async Task<P.PurgeInstancesResponse> PurgeInstances(P.PurgeInstancesRequest request, ServerCallContext context)
    {
        var purged = 0;
        if (request.PurgeInstanceFilter is { } filter)
        {
            var from = filter.CreatedTimeFrom?.ToDateTime() ?? DateTime.MinValue;
            var ended = new PurgeInstanceFilter(from, filter.CreatedTimeTo?.ToDateTime(), Statuses(filter.RuntimeStatus));
            purged = (await store.PurgeInstanceStateAsync(ended)).DeletedInstanceCount;
        }
        foreach (var id in request.InstanceBatch?.InstanceIds ?? (IEnumerable<string>)[request.InstanceId])
            purged += (await store.PurgeInstanceStateAsync(id)).DeletedInstanceCount;
        return new P.PurgeInstancesResponse { DeletedInstanceCount = purged, IsComplete = true };
    }

    private static List<OrchestrationStatus>? Statuses(IReadOnlyCollection<P.OrchestrationStatus>? statuses) =>
        statuses is null or { Count: 0 } ? null : [.. statuses.Select(status => (OrchestrationStatus)status)];

    private static P.GetInstanceResponse Answer(OrchestrationState state, P.GetInstanceRequest request) =>
        new() { Exists = true, OrchestrationState = ToProto(state, request.GetInputsAndOutputs) };

    private static P.OrchestrationState ToProto(OrchestrationState state, bool withPayloads) => new()
    {
        InstanceId = state.OrchestrationInstance.InstanceId,
        ExecutionId = state.OrchestrationInstance.ExecutionId,
        Name = state.Name,
        Version = state.Version,
        OrchestrationStatus = (P.OrchestrationStatus)state.OrchestrationStatus,
        ScheduledStartTimestamp = state.ScheduledStartTime is { } at ? HistoryProtos.Time(at) : null,
        CreatedTimestamp = HistoryProtos.Time(state.CreatedTime),
        LastUpdatedTimestamp = HistoryProtos.Time(state.LastUpdatedTime),
        CompletedTimestamp = state.OrchestrationStatus.HasEnded() ? HistoryProtos.Time(state.CompletedTime) : null,
        ParentInstanceId = state.ParentInstance?.OrchestrationInstance.InstanceId,
        CustomStatus = withPayloads ? state.Status : null,
        Input = withPayloads ? state.Input : null,
        Output = withPayloads ? state.Output : null,
        FailureDetails = withPayloads ? state.FailureDetails.ToProto() : null,
        Tags = { state.Tags ?? new Dictionary<string, string>() },
    };

    private async Task<T> TellAsync<T>(string instanceId, HistoryEvent happened, T answer)
    {
        var message = new TaskMessage { OrchestrationInstance = new() { InstanceId = instanceId }, Event = happened };
        await store.SendTaskOrchestrationMessageAsync(message);
        return answer;
    }

    private async Task<OrchestrationState?> Find(string id) => await store.GetOrchestrationStateAsync(id, executionId: null);

    private async Task<P.GetInstanceResponse> WaitAsync(
        P.GetInstanceRequest request, Func<OrchestrationState, bool> isReached, CancellationToken cancel)
    {
        var state = await store.WaitForStateAsync(
            request.InstanceId, state => state is null || isReached(state), Timeout.InfiniteTimeSpan, cancel);
        return Answer(Existing(state, request.InstanceId), request);
    }

    private async Task RequireUnended(string instanceId, string action)
    {
        var status = Existing(await Find(instanceId), instanceId).OrchestrationStatus;
        if (status.HasEnded())
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"Orchestration '{instanceId}' cannot be {action}: it has ended as {status}."));
    }

    private static OrchestrationState Existing(OrchestrationState? state, string instanceId) => state
        ?? throw new RpcException(new Status(StatusCode.NotFound, $"No orchestration has the id '{instanceId}'."));
}
