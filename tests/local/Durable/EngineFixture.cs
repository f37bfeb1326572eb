using System.Collections.Concurrent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Tests.Durable;

/// <summary>An engine on a fresh database; <see cref="Restart"/> throws the engine away and opens the database again.</summary>
internal sealed class EngineFixture : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder folder = new();

    public EngineFixture()
    {
        Engine = Open();
    }

    public ManualTime Time { get; } = new();

    public DurableFunctions Functions { get; } = new();

    /// <summary>Activity calls in the order in which they ran.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public DurableEngine Engine { get; private set; }

    public LocalDurableTaskClient Client => Engine.Client;

    public EngineFixture Orchestrator<T>(string name, Func<TaskOrchestrationContext, Task<T>> body)
    {
        Functions.AddOrchestrator(name, async context => await body(context));
        return this;
    }

    public EngineFixture Activity<TIn, TOut>(string name, Func<TIn, Task<TOut>> body)
    {
        Functions.AddActivity(name, async (call, _) =>
        {
            Calls.Enqueue($"{name}({call.Input})");
            return await body((TIn)call.ReadInput(typeof(TIn))!);
        });
        return this;
    }

    public EngineFixture Activity<TIn, TOut>(string name, Func<TIn, TOut> body) => Activity<TIn, TOut>(name, input => Task.FromResult(body(input)));

    public async Task<string> Start(string orchestrator, object? input = null, StartOrchestrationOptions? options = null)
    {
        Engine.Start();
        return await Client.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, options);
    }

    public async Task<OrchestrationMetadata> End(string id) =>
        await Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true).WaitAsync(Patience);

    public async Task<T?> Output<T>(string id)
    {
        var end = await End(id);
        Assert.True(end.RuntimeStatus == OrchestrationRuntimeStatus.Completed, $"{end.RuntimeStatus}: {end.FailureDetails} {end.FailureDetails?.StackTrace}");
        return end.ReadOutputAs<T>();
    }

    /// <summary>Waits until the history holds so many lines of a kind.</summary>
    public async Task Until(string id, HistoryKind kind, int count = 1)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var change = Engine.NextChange;
            if (Engine.Store.History(id).Count(line => line.Kind == kind) >= count)
                return;
            await change.WaitAsync(patience.Token);
        }
    }

    public async Task UntilStatus(string id, Func<OrchestrationMetadata, bool> reached)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var change = Engine.NextChange;
            if (reached((await Client.GetInstanceAsync(id, getInputsAndOutputs: true))!))
                return;
            await change.WaitAsync(patience.Token);
        }
    }

    public void OpenAgain(bool start = true)
    {
        Engine = Open();
        if (start)
            Engine.Start();
    }

    public async Task Restart()
    {
        await Engine.Kill();
        OpenAgain();
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        folder.Dispose();
    }

    private DurableEngine Open() => new(
        Functions, new DurableEngineOptions { DatabasePath = folder.File("durable.db"), MaxConcurrentActivities = 4 }, Time, NullLoggerFactory.Instance);
}
