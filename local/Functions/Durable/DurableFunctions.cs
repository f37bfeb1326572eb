using Google.Protobuf;
using P = Microsoft.DurableTask.Protobuf;

namespace Sdxl.Local.Functions.Durable;

/// <summary>
/// Runs orchestrators and activities of the worker in the Durable Task framework. Nothing is registered with the framework: its
/// dispatchers' middlewares take every work item to the worker. Where no worker can be reached the item is given back and run again.
/// </summary>
internal sealed class DurableFunctions(HostContext host, WorkerSupervisor supervisor)
{
    private TaskHubWorker? engine;

    public async Task StartAsync()
    {
        engine = new(host.Options.Orchestrations, host.Options.Loggers) { ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails };
        engine.AddOrchestrationDispatcherMiddleware(async (context, _) =>
            context.SetProperty(await OrchestrateAsync(context.GetProperty<OrchestrationRuntimeState>())));
        engine.AddActivityDispatcherMiddleware(async (context, _) => context.SetProperty(
            await ActAsync(context.GetProperty<TaskScheduledEvent>(), context.GetProperty<OrchestrationInstance>().InstanceId)));
        await engine.StartAsync();
    }

    /// <summary>At the host's end: takes nothing more and waits for what runs.</summary>
    public async Task StopAsync()
    {
        if (engine is null)
            return;
        try
        {
            await engine.StopAsync(isForced: false).WaitAsync(host.Options.StopPatience + TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException)
        {
            host.Logger.DurableNotStopped(host.Options.StopPatience.TotalSeconds);
        }
        engine.Dispose();
    }

    /// <summary>An orchestrator's turn: the worker gets its whole history and gives its decisions, as base64 of protobuf.</summary>
    private async Task<OrchestratorExecutionResult> OrchestrateAsync(OrchestrationRuntimeState state)
    {
        var instance = state.OrchestrationInstance!;
        var request = new P.OrchestratorRequest { InstanceId = instance.InstanceId, ExecutionId = instance.ExecutionId };
        request.PastEvents.AddRange(state.PastEvents.Select(HistoryProtos.ToProto));
        request.NewEvents.AddRange(state.NewEvents.Select(HistoryProtos.ToProto));
        var (returned, failure) = await InvokeAsync(
            "orchestrationTrigger", state.Name,
            $"The app has no orchestrator function '{state.Name}'. Deploy it, or terminate the instance.",
            _ => (Typed.Text(request.ToByteString().ToBase64()), []));
        if (failure is not null) // no such function, or a middleware's; what the orchestrator throws comes as a decision
            return ActionProtos.Failed(failure);
        var response = P.OrchestratorResponse.Parser.ParseFrom(ByteString.FromBase64(returned!.String));
        if (response.RequiresHistory)
            throw new SessionAbortedException("The worker asks for the history.");
        try
        {
            return new() { Actions = [.. response.Actions.Select(ActionProtos.ToFramework)], CustomStatus = response.CustomStatus };
        }
        catch (NotSupportedException exception)
        {
            return ActionProtos.Failed(FailureProtos.Of(typeof(NotSupportedException).FullName, exception.Message), response.CustomStatus);
        }
    }

    private async Task<ActivityExecutionResult> ActAsync(TaskScheduledEvent scheduled, string instanceId)
    {
        var (returned, failure) = await InvokeAsync(
            "activityTrigger", scheduled.Name, $"The app has no activity function '{scheduled.Name}'. Deploy it.",
            function => ActivityCalls.Input(function, scheduled.Input, instanceId));
        if (failure is null)
            return new() { ResponseEvent = new TaskCompletedEvent(-1, scheduled.EventId, ActivityCalls.ResultJson(returned)) };
        host.Logger.ActivityFailed(instanceId, scheduled.Name ?? "", scheduled.EventId, failure.ErrorMessage);
        var reason = $"Activity function '{scheduled.Name}' failed: {failure.ErrorMessage}";
        return new() { ResponseEvent = new TaskFailedEvent(-1, scheduled.EventId, reason, details: null, failure) };
    }

    /// <returns>What the function returned, or how it failed.</returns>
    /// <exception cref="SessionAbortedException">The engine's word for "give it back and run it again".</exception>
    private async Task<(TypedData? Returned, FailureDetails? Failure)> InvokeAsync(
        string trigger, string? name, string missing, Func<FunctionInfo, (TypedData Value, Dictionary<string, TypedData> Metadata)> input)
    {
        try
        {
            host.Stopping.ThrowIfCancellationRequested();
            var worker = await supervisor.GetAsync(host.Stopping);
            if (!worker.Functions.TryGetValue(name ?? "", out var function) || !function.IsTriggeredBy(trigger))
                return (null, FailureProtos.Of(type: null, missing));
            var (value, metadata) = input(function);
            var response = await worker.InvokeAsync(function, Guid.NewGuid().ToString(), value, metadata, CancellationToken.None);
            if (response.Succeeded())
                return (response.ReturnValue, null);
            host.Overdue.ThrowIfCancellationRequested(); // then it was we who cancelled it
            return (null, FailureProtos.Of(response.Result.Exception));
        }
        catch (Exception exception) when (exception is WorkerGoneException or WorkerUnavailableException or OperationCanceledException)
        {
            throw new SessionAbortedException(exception.Message, exception);
        }
    }
}
