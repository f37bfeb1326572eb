using DurableTask.Core.Middleware;

namespace Sdxl.Local.Functions.Durable;

/// <summary>
/// Runs orchestrators and activities of the worker in the Durable Task framework. Nothing is registered with the framework: its
/// dispatchers' middlewares take every work item to the worker. Where no worker can be reached the item is given back and run again.
/// </summary>
internal sealed class DurableFunctions(
    IOrchestrationService service, WorkerSupervisor supervisor, FunctionInvoker invoker, HostJson limits, ILoggerFactory loggers)
{
    private readonly SemaphoreSlim orchestratorTurns = new(limits.MaxConcurrentOrchestrators);
    private readonly SemaphoreSlim activityTurns = new(limits.MaxConcurrentActivities);
    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource cancelled = new();
    private readonly ILogger logger = loggers.CreateLogger<DurableFunctions>();
    private TaskHubWorker? worker;

    public async Task StartAsync()
    {
        await service.CreateIfNotExistsAsync();
        worker = new TaskHubWorker(service, loggers) { ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails };
        worker.AddOrchestrationDispatcherMiddleware(
            (context, _) => Take(context, orchestratorTurns, "orchestrationTrigger", RunOrchestratorAsync));
        worker.AddActivityDispatcherMiddleware((context, _) => Take(context, activityTurns, "activityTrigger", RunActivityAsync));
        await worker.StartAsync();
    }

    /// <summary>Takes nothing more and waits for what runs; cancels it after <paramref name="patience"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        await stopping.CancelAsync();
        if (worker is null)
            return;
        cancelled.CancelAfter(patience);
        try
        {
            await worker.StopAsync(isForced: false).WaitAsync(patience + TimeSpan.FromSeconds(2));
        }
        catch (TimeoutException)
        {
            logger.DurableNotStopped(patience.TotalSeconds);
        }
        worker.Dispose();
    }

    private async Task Take(
        DispatchMiddlewareContext context, SemaphoreSlim turns, string trigger,
        Func<DispatchMiddlewareContext, RunningWorker, FunctionInfo?, Task> run)
    {
        try
        {
            await turns.WaitAsync(stopping.Token);
            try
            {
                var running = await supervisor.GetAsync(stopping.Token);
                var name = trigger == "activityTrigger"
                    ? context.GetProperty<TaskScheduledEvent>().Name
                    : context.GetProperty<OrchestrationRuntimeState>().Name;
                await run(context, running, Find(running, name, trigger));
            }
            finally
            {
                turns.Release();
            }
        }
        catch (Exception exception) when (exception is WorkerGoneException or WorkerUnavailableException or OperationCanceledException)
        {
            throw new SessionAbortedException(exception.Message, exception); // the engine's word for "give it back and run it again"
        }
    }

    private async Task RunOrchestratorAsync(DispatchMiddlewareContext context, RunningWorker running, FunctionInfo? function)
    {
        var state = context.GetProperty<OrchestrationRuntimeState>();
        if (function is null)
        {
            context.SetProperty(Failure(
                FailureProtos.Of("", $"The app has no orchestrator function '{state.Name}'. Deploy it, or terminate the instance.")));
            return;
        }
        var response = await invoker.InvokeAsync(
            running, function, FunctionInvoker.NewInvocationId(), Typed.Text(OrchestratorCalls.Encode(state)), OrchestratorCalls.NoMetadata,
            cancelled.Token);
        if (!response.Succeeded())
        {
            // What the orchestrator throws comes as a decision, with success; this is a middleware of the app's.
            if (cancelled.IsCancellationRequested)
                throw new OperationCanceledException("The host stops.");
            context.SetProperty(Failure(FailureProtos.OfInvocation(response.Result.Exception)));
            return;
        }
        context.SetProperty(OrchestratorCalls.Decode(response.ReturnValue));
    }

    private async Task RunActivityAsync(DispatchMiddlewareContext context, RunningWorker running, FunctionInfo? function)
    {
        var scheduled = context.GetProperty<TaskScheduledEvent>();
        if (function is null)
        {
            context.SetProperty(ActivityCalls.Failed(
                scheduled, FailureProtos.Of("", $"The app has no activity function '{scheduled.Name}'. Deploy it.")));
            return;
        }
        var input = ActivityCalls.Unwrap(scheduled.Input);
        var metadata = ActivityCalls.Metadata(function, input, context.GetProperty<OrchestrationInstance>().InstanceId);
        var response = await invoker.InvokeAsync(
            running, function, FunctionInvoker.NewInvocationId(), Typed.OrNone(input), metadata, cancelled.Token);
        if (!response.Succeeded() && cancelled.IsCancellationRequested)
            throw new OperationCanceledException("The host stops.");
        if (response.Succeeded())
        {
            context.SetProperty(ActivityCalls.Completed(scheduled, response.ReturnValue));
            return;
        }
        var failure = FailureProtos.OfActivity(response.Result.Exception);
        logger.ActivityFailed(
            context.GetProperty<OrchestrationInstance>().InstanceId,
            scheduled.Name ?? "",
            scheduled.EventId,
            failure.ErrorMessage
        );
        context.SetProperty(ActivityCalls.Failed(scheduled, failure));
    }

    private static FunctionInfo? Find(RunningWorker running, string? name, string trigger) =>
        name is not null && running.Functions.TryGetValue(name, out var function) && function.IsTriggeredBy(trigger) ? function : null;

    private static OrchestratorExecutionResult Failure(FailureDetails failure) => new() { Actions = [ActionProtos.Failed(failure)] };
}
