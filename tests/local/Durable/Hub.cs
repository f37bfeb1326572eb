using System.Collections.Concurrent;
using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.History;
using DurableTask.Core.Query;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Durable;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Durable;

/// <summary>
/// The framework's worker and client over a service on a fresh file. Orchestrators and activities are lambdas from JSON text to JSON text.
/// </summary>
internal sealed class Hub : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new();
    private readonly List<ObjectCreator<TaskOrchestration>> orchestrators = [];
    private readonly List<ObjectCreator<TaskActivity>> activities = [];
    private readonly SqliteOrchestrationOptions options;
    private TaskHubWorker? worker;

    public Hub(SqliteOrchestrationOptions? options = null)
    {
        this.options = options ?? new SqliteOrchestrationOptions();
        Service = new SqliteOrchestrationService(Database, this.options, TimeProvider.System, NullLogger.Instance);
        Client = new TaskHubClient(Service);
    }

    public string Database => folder.File("durable.db");

    public SqliteOrchestrationService Service { get; private set; }

    public TaskHubClient Client { get; private set; }

    /// <summary>Inputs of the activities in the order in which they began.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public Hub Orchestrator(string name, Func<Flow, Task<string>> body)
    {
        orchestrators.Add(new Creator<TaskOrchestration>(name, () => new LambdaOrchestration(body)));
        return this;
    }

    public Hub Activity(string name, Func<string, Task<string>> body)
    {
        activities.Add(new Creator<TaskActivity>(name, () => new LambdaActivity(input =>
        {
            Calls.Enqueue(input);
            return body(input);
        })));
        return this;
    }

    public Hub Activity(string name, Func<string, string> body) => Activity(name, input => Task.FromResult(body(input)));

    public async Task<Hub> Start()
    {
        worker = new TaskHubWorker(Service, NullLoggerFactory.Instance) { ErrorPropagationMode = ErrorPropagationMode.UseFailureDetails };
        worker.AddTaskOrchestrations([.. orchestrators]);
        worker.AddTaskActivities([.. activities]);
        await worker.StartAsync();
        return this;
    }

    /// <summary>Throws the service away and opens the file again, without a worker.</summary>
    public async Task Reopen()
    {
        await (worker?.StopAsync(isForced: true) ?? Task.CompletedTask);
        worker = null;
        await Service.DisposeAsync();
        Service = new SqliteOrchestrationService(Database, options, TimeProvider.System, NullLogger.Instance);
        Client = new TaskHubClient(Service);
    }

    public async Task<OrchestrationInstance> Begin(string orchestrator, string id, object? input = null) =>
        await Client.CreateOrchestrationInstanceAsync(orchestrator, "", id, input ?? "");

    public Task<OrchestrationState> End(string id) => Service.WaitForOrchestrationAsync(id, null, Patience, CancellationToken.None);

    /// <summary>Runs an instance to its successful end.</summary>
    /// <returns>Its output, without the quotes.</returns>
    public async Task<string> Run(string orchestrator, string id, object? input = null)
    {
        await Begin(orchestrator, id, input);
        return await Output(id);
    }

    public async Task<string> Output(string id)
    {
        var end = await End(id);
        Assert.True(
            end.OrchestrationStatus == OrchestrationStatus.Completed,
            $"{end.OrchestrationStatus}: {end.Output} {end.FailureDetails?.StackTrace}");
        return end.Output.Trim('"');
    }

    public async Task<OrchestrationState> Until(string id, Func<OrchestrationState, bool> isReached) =>
        (await Service.WaitForStateAsync(id, state => state is not null && isReached(state), Patience, CancellationToken.None))!;

    public async Task<OrchestrationStatus> Status(string id) => (await Client.GetOrchestrationStateAsync(id))!.OrchestrationStatus;

    public Task UntilStatus(string id, OrchestrationStatus status) => Until(id, state => state.OrchestrationStatus == status);

    /// <summary>Waits until the history holds so many events of a kind.</summary>
    public Task UntilEvents<T>(string id, int count = 1)
        where T : HistoryEvent => Until(id, _ => Events<T>(id).Count >= count);

    public List<T> Events<T>(string id) => [.. History(Service, id).OfType<T>()];

    public static List<HistoryEvent> History(SqliteOrchestrationService service, string id) => DurableJson.Read<List<HistoryEvent>>(
        service.GetOrchestrationHistoryAsync(id, null).GetAwaiter().GetResult(), "The history");

    public Task Raise(string id, string name, object value) =>
        Client.RaiseEventAsync(new OrchestrationInstance { InstanceId = id }, name, value);

    public async Task<List<string>> Ids(OrchestrationQuery query) =>
        [.. (await Query(query)).OrchestrationState.Select(state => state.OrchestrationInstance.InstanceId)];

    public Task<OrchestrationQueryResult> Query(OrchestrationQuery query) =>
        Service.GetOrchestrationWithQueryAsync(query, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await (worker?.StopAsync(isForced: true) ?? Task.CompletedTask);
        await Service.DisposeAsync();
        folder.Dispose();
    }
}

internal sealed class Creator<T> : ObjectCreator<T>
{
    private readonly Func<T> make;

    public Creator(string name, Func<T> make)
    {
        (Name, Version) = (name, "");
        this.make = make;
    }

    public override T Create() => make();
}

internal sealed class LambdaActivity(Func<string, Task<string>> body) : AsyncTaskActivity<string, string>
{
    protected override Task<string> ExecuteAsync(TaskContext context, string input) => body(input);
}

internal sealed class LambdaOrchestration(Func<Flow, Task<string>> body) : TaskOrchestration<string, string, string, string>
{
    private Flow? flow;
    private readonly Queue<(string Name, string Value)> early = new();

    public override Task<string> RunTask(OrchestrationContext context, string input)
    {
        flow = new Flow(context, input);
        while (early.TryDequeue(out var raised))
            flow.Raise(raised.Name, raised.Value);
        return body(flow);
    }

    public override void OnEvent(OrchestrationContext context, string name, string input)
    {
        if (flow is null)
            early.Enqueue((name, input));
        else
            flow.Raise(name, input);
    }

    public override string OnGetStatus() => flow?.Status!;
}

/// <summary>What an orchestrator works with.</summary>
internal sealed class Flow(OrchestrationContext context, string input)
{
    private readonly Dictionary<string, Queue<string>> raised = [];
    private readonly Dictionary<string, Queue<TaskCompletionSource<string>>> waiting = [];

    public OrchestrationContext Context => context;

    public string Input => input;

    public string? Status { get; set; }

    public string Id => context.OrchestrationInstance.InstanceId;

    public Task<string> Activity(string name, object? value = null) => context.ScheduleTask<string>(name, "", $"{value}");

    public Task<string> Child(string name, string id, object? value = null) =>
        context.CreateSubOrchestrationInstance<string>(name, "", id, $"{value}");

    public Task Sleep(double milliseconds, CancellationToken stop = default) =>
        context.CreateTimer(context.CurrentUtcDateTime.AddMilliseconds(milliseconds), 0, stop);

    public Task<string> Event(string name)
    {
        if (raised.TryGetValue(name, out var values) && values.TryDequeue(out var value))
            return Task.FromResult(value);
        var source = new TaskCompletionSource<string>();
        (waiting.TryGetValue(name, out var sources) ? sources : waiting[name] = new()).Enqueue(source);
        return source.Task;
    }

    public void Raise(string name, string value)
    {
        if (waiting.TryGetValue(name, out var sources) && sources.TryDequeue(out var source))
            source.SetResult(value);
        else
            (raised.TryGetValue(name, out var values) ? values : raised[name] = new()).Enqueue(value);
    }
}
