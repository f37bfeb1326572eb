using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Sdxl.Local.Functions.Durable;
using Sdxl.Local.Functions.Http;
using Sdxl.Local.Functions.Triggers;

namespace Sdxl.Local.Functions;

/// <summary>
/// Serves an isolated-worker functions app as Azure does: starts the deployed worker as a process of its own and keeps it running,
/// forwards HTTP to it, fires its Service Bus and timer triggers, and runs its orchestrations on the Durable Task framework. Knows nothing
/// of the app.
/// </summary>
public sealed class FunctionsHost : IAsyncDisposable
{
    private const long UsualMaxBodyBytes = 104_857_600;
    private const string MaxBodySetting = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT";

    private readonly FunctionsHostOptions options;
    private readonly HostJson hostJson;
    private readonly ILogger logger;
    private readonly WorkerStreams streams;
    private readonly WorkerSupervisor supervisor;
    private readonly FunctionInvoker invoker;
    private readonly DurableFunctions? durable;
    private readonly HttpFunctions http;
    private readonly WebApplication rpcServer;
    private readonly WebApplication webServer;
    private readonly List<ITrigger> triggers = [];
    private readonly CancellationTokenSource stopping = new();
    private Task starting = Task.CompletedTask;

    private FunctionsHost(FunctionsHostOptions options)
    {
        this.options = options;
        hostJson = HostJson.Read(options.HostJsonPath ?? Path.Combine(options.AppFolder, "host.json"));
        logger = options.Loggers.CreateLogger<FunctionsHost>();
        streams = new WorkerStreams(options.Loggers);
        rpcServer = BuildRpcServer();
        FunctionRoutes? routes = null;
        supervisor = new WorkerSupervisor(options, streams, logger) { OnReady = worker => routes!.Update(worker.Functions.Values) };
        invoker = new FunctionInvoker(supervisor);
        if (options.Orchestrations is { } store)
            durable = new DurableFunctions(store, supervisor, invoker, hostJson, options.Loggers);
        var maxBodyBytes = MaxBodyBytes(options);
        webServer = BuildWebServer(maxBodyBytes);
        http = new HttpFunctions(supervisor, invoker, webServer.Services.GetRequiredService<IHttpForwarder>(), maxBodyBytes, logger);
        routes = new FunctionRoutes(hostJson.RoutePrefix.Trim('/'), http.ServeAsync, logger);
        if (options.HostNames is { } names)
            webServer.Use(new HostNames(names).CheckAsync);
        webServer.Use(http.WaitForRoutesAsync);
        webServer.UseRouting();
        ((IEndpointRouteBuilder)webServer).DataSources.Add(routes);
    }

    /// <summary>Where it listens, with the port that was taken; without a slash at the end.</summary>
    public string Url { get; private set; } = "";

    /// <summary>The running worker's process; null while none is ready.</summary>
    public int? WorkerProcessId => supervisor.Current?.Process.Id;

    /// <summary>Listens and starts the worker; does not wait for it. Requests that come before it is ready wait.</summary>
    /// <exception cref="FileNotFoundException">The app is not there.</exception>
    /// <exception cref="InvalidDataException">host.json cannot be read.</exception>
    /// <exception cref="IOException">The address is taken.</exception>
    public static async Task<FunctionsHost> StartAsync(FunctionsHostOptions options, CancellationToken cancel = default)
    {
        if (!File.Exists(options.AppDll))
            throw new FileNotFoundException($"The functions app '{options.AppDll}' is not there. Build it.", options.AppDll);
        var host = new FunctionsHost(options);
        try
        {
            await host.rpcServer.StartAsync(cancel);
            await host.webServer.StartAsync(cancel);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        host.Url = AddressOf(host.webServer);
        var rpc = new Uri(AddressOf(host.rpcServer));
        host.invoker.DurableClient = FunctionInvoker.DurableClientJson(rpc, host.Url);
        host.supervisor.Start(rpc);
        host.starting = host.StartTriggersAsync();
        _ = host.starting.ContinueWith(
            failed => host.logger.TriggersNotStarted(failed.Exception!.InnerException!.Message),
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return host;
    }

    /// <summary>Completes when the worker has loaded its functions and all triggers are on.</summary>
    /// <exception cref="InvalidOperationException">Durable functions, but no <see cref="FunctionsHostOptions.Orchestrations"/>.</exception>
    public Task WaitUntilReadyAsync(CancellationToken cancel = default) => starting.WaitAsync(cancel);

    /// <summary>
    /// Takes nothing new, lets running functions end, cancels them after <see cref="FunctionsHostOptions.StopPatience"/>, then ends the
    /// worker.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
        await stopping.CancelAsync();
        await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using (var cancelling = CancelRunningAfter(options.StopPatience))
        {
            await Task.WhenAll([
                webServer.StopAsync(), durable?.StopAsync(options.StopPatience) ?? Task.CompletedTask,
                .. triggers.Select(trigger => trigger.StopAsync(options.StopPatience))]);
        }
        await supervisor.StopAsync();
        await webServer.DisposeAsync();
        await rpcServer.StopAsync();
        await rpcServer.DisposeAsync();
        http.Dispose();
    }

    private async Task StartTriggersAsync()
    {
        var worker = await supervisor.FirstAsync(stopping.Token);
        var functions = worker.Functions.Values;
        if (functions.FirstOrDefault(function => function.IsTriggeredBy("orchestrationTrigger")) is { } orchestrator && durable is null)
            throw new InvalidOperationException(
                $"The app has an orchestrator ('{orchestrator.Name}'), but the host was given no {nameof(options.Orchestrations)}.");
        if (durable is not null)
            await durable.StartAsync();
        foreach (var function in functions)
        {
            ITrigger? trigger = function.TriggerType.ToUpperInvariant() switch
            {
                "SERVICEBUSTRIGGER" => new ServiceBusTrigger(function, options, hostJson, invoker, logger),
                "TIMERTRIGGER" => new TimerTrigger(function, options, invoker, logger),
                _ => null,
            };
            if (trigger is not null)
                await StartAsync(function, trigger);
            else if (!new[] { "httpTrigger", "orchestrationTrigger", "activityTrigger" }.Any(function.IsTriggeredBy))
                logger.TriggerNotServed(function.Name, function.TriggerType);
        }
    }

    /// <summary>One function's bad binding does not keep the others from being served.</summary>
    private async Task StartAsync(FunctionInfo function, ITrigger trigger)
    {
        try
        {
            triggers.Add(trigger);
            await trigger.StartAsync();
        }
        catch (Exception exception)
        {
            logger.TriggerNotStarted(function.Name, exception.Message);
        }
    }

    private Timer CancelRunningAfter(TimeSpan patience) => new(
        _ =>
        {
            if (supervisor.Current?.Stream is not { Running: > 0 } stream)
                return;
            logger.InvocationsCancelled(stream.Running, patience.TotalSeconds);
            stream.CancelAll();
        },
        null, patience, Timeout.InfiniteTimeSpan);

    private static long MaxBodyBytes(FunctionsHostOptions options) => options.MaxRequestBodyBytes
        ?? (options.Settings.TryGetValue(MaxBodySetting, out var text)
            ? long.TryParse(text, out var bytes) && bytes > 0
                ? bytes
                : throw new InvalidDataException($"Setting {MaxBodySetting} is '{text}'; it must be a number of bytes.")
            : UsualMaxBodyBytes);

    /// <summary>For the worker alone: loopback, no limits, since what comes here has been limited where it came in.</summary>
    private WebApplication BuildRpcServer()
    {
        var builder = Builder("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = grpc.MaxSendMessageSize = null);
        builder.Services.AddSingleton(streams);
        if (options.Orchestrations is IOrchestrationServiceClient client)
            builder.Services.AddSingleton(new TaskHubSidecar(client));
        var app = builder.Build();
        app.MapGrpcService<WorkerStreams>();
        if (options.Orchestrations is IOrchestrationServiceClient)
            app.MapGrpcService<TaskHubSidecar>();
        return app;
    }

    private WebApplication BuildWebServer(long maxBodyBytes)
    {
        var builder = Builder(options.Url);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = maxBodyBytes);
        builder.Services.AddHttpForwarder();
        // Running functions are cancelled at the patience's end; their answers still want to be sent.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopPatience + TimeSpan.FromSeconds(2));
        return builder.Build();
    }

    private WebApplicationBuilder Builder(string url)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions()); // configured here alone, not by environment or files
        builder.WebHost.UseKestrelCore().UseUrls(url);
        builder.Services.AddRouting();
        builder.Services.AddSingleton(options.Loggers);
        builder.Services.AddSingleton<IHostLifetime>(new NoLifetime()); // signals are for whoever runs this host
        return builder;
    }

    private static string AddressOf(WebApplication server) =>
        server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First().TrimEnd('/');

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
