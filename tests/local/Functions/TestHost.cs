using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Durable;
using Sdxl.Local.Functions;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Functions;

/// <summary>A host with the worker app in a process of its own, orchestrations and a queue in SQLite.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    /// <summary>Nothing in these tests takes as long; a test that hangs fails instead.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static readonly string AppDll = Path.GetFullPath(
        typeof(TestHost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "WorkerApp").Value!);

    public required FunctionsHost Host { get; init; }

    public required HttpClient Http { get; init; }

    public required TestBus Bus { get; init; }

    public required LogLines Log { get; init; }

    private TempFolder? Folder { get; init; }

    private object? Orchestrations { get; init; }

    /// <param name="database">Where the orchestrations lie.</param>
    public static FunctionsHostOptions Options(TestBus bus, ILoggerFactory loggers, string database) =>
        new()
        {
            AppDll = AppDll,
            Settings = new Dictionary<string, string>
            {
                ["TickSchedule"] = "* * * * * *",
                ["Queue"] = "jobs",
                ["TestBus"] = bus.ConnectionString,
            },
            Orchestrations = new SqliteOrchestrationService(
                database,
                new SqliteOrchestrationOptions(),
                TimeProvider.System,
                NullLogger.Instance
            ),
            Loggers = loggers,
            WorkerPatience = Patience,
            RedeliveryPause = TimeSpan.FromMilliseconds(50),
        };

    public static async Task<TestHost> StartAsync(
        Func<FunctionsHostOptions, FunctionsHostOptions>? change = null, bool waitUntilReady = true)
    {
        var log = new LogLines();
        var folder = new TempFolder();
        var bus = await TestBus.StartAsync(folder.File("queues.db"));
        var options = Options(bus, LoggerFactory.Create(logging => logging.AddProvider(log)), folder.File("orchestrations.db"));
        var host = await FunctionsHost.StartAsync(change?.Invoke(options) ?? options);
        if (waitUntilReady)
            await host.WaitUntilReadyAsync().WaitAsync(Patience);
        var http = new HttpClient { BaseAddress = new Uri(host.Url + "/app/"), Timeout = Patience };
        return new TestHost { Host = host, Http = http, Bus = bus, Log = log, Folder = folder, Orchestrations = options.Orchestrations };
    }

    /// <summary>Waits until the app says that this happened.</summary>
    public Task<string> Signal(string name) => Http.GetStringAsync("signals/" + name);

    public async Task Set(string signal) => (await Http.PostAsync("signals/" + signal, null)).EnsureSuccessStatusCode();

    public async Task Start(string orchestrator, string id, object? input = null)
    {
        using var content = input is null ? null : JsonContent.Create(input);
        if (content is not null)
            await content.LoadIntoBufferAsync(); // the app looks at Content-Length
        (await Http.PostAsync($"start/{orchestrator}/{id}", content)).EnsureSuccessStatusCode();
    }

    /// <summary>Runs an orchestration to its end.</summary>
    public async Task<Instance> Run(string orchestrator, object? input = null)
    {
        var id = orchestrator + "-" + Guid.NewGuid().ToString("N");
        await Start(orchestrator, id, input);
        return await End(id);
    }

    public async Task<Instance> End(string id) => (await Http.GetFromJsonAsync<Instance>($"wait/{id}/end"))!;

    public async Task<T> Act<T>(string id, string action)
    {
        var answer = await Http.PostAsync($"instances/{id}/{action}", null);
        Assert.True(answer.IsSuccessStatusCode, $"{action}: {await answer.Content.ReadAsStringAsync()}");
        return typeof(T) == typeof(bool) ? (T)(object)true : (await answer.Content.ReadFromJsonAsync<T>())!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        if (Orchestrations is IAsyncDisposable store)
            await store.DisposeAsync();
        await Bus.DisposeAsync();
        Folder?.Dispose();
    }
}

/// <summary>An orchestration as the app's client sees it; output and status are JSON.</summary>
internal sealed record Instance(string Status, string? Output, string? CustomStatus, string? Failure)
{
    public T Result<T>() => JsonSerializer.Deserialize<T>(Output!, JsonSerializerOptions.Web)!;
}

/// <summary>Everything that was logged; can be waited for.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> lines = new();
    private readonly ConcurrentDictionary<TaskCompletionSource<string>, string> waiting = new();

    public Task<string> Line(string containing)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[seen] = containing;
        foreach (var (_, text) in lines)
            Check(seen, containing, text);
        return seen.Task.WaitAsync(TestHost.Patience);
    }

    public override string ToString() => string.Join('\n', lines.Select(line => $"{line.Level}: {line.Text}"));

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private static void Check(TaskCompletionSource<string> seen, string containing, string text)
    {
        if (text.Contains(containing, StringComparison.Ordinal))
            seen.TrySetResult(text);
    }

    private sealed class Logger(LogLines all, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = $"{category}: {formatter(state, exception)} {exception}";
            all.lines.Enqueue((logLevel, text));
            foreach (var (seen, containing) in all.waiting)
                Check(seen, containing, text);
        }
    }
}
