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

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource overdue = new();
    private readonly HostContext host;
    private readonly WorkerSupervisor supervisor;
    private readonly DurableFunctions durable;
    private readonly WebApplication rpcServer;
    private readonly WebApplication webServer;
    private readonly List<Task> triggers = [];
    private Task starting = Task.CompletedTask;

    private FunctionsHost(FunctionsHostOptions options)
    {
        var hostJson = HostJson.Read(Path.Combine(options.AppFolder, "host.json"));
        host = new HostContext(options, hostJson, options.Loggers.CreateLogger<FunctionsHost>(), stopping.Token, overdue.Token);
        var streams = new WorkerStreams(host);
        rpcServer = BuildRpcServer(streams);
        webServer = BuildWebServer();
        var http = new HttpFunctions(host, webServer.Services);
        supervisor = new WorkerSupervisor(host, streams) { OnReady = worker => worker.Routes = http.RoutesOf(worker) };
        durable = new DurableFunctions(host, supervisor);
        if (options.HostNames is { } names)
            webServer.Use(new HostNames(names).CheckAsync);
        webServer.Run(context => HttpFunctions.ServeAsync(context, supervisor));
    }

    /// <summary>Where it listens, with the port that was taken; without a slash at the end.</summary>
    public string Url { get; private set; } = "";

    /// <summary>The running worker's process; null while none is ready.</summary>
    public int? WorkerProcessId => supervisor.ProcessId;

    /// <summary>Listens and starts the worker; does not wait for it. Requests that come before it is ready wait.</summary>
    /// <exception cref="FileNotFoundException">The app is not there.</exception>
    /// <exception cref="InvalidDataException">host.json or the limit of bodies cannot be read.</exception>
    /// <exception cref="IOException">The address is taken.</exception>
    /// <exception cref="InvalidOperationException">There is no dotnet.</exception>
    public static async Task<FunctionsHost> StartAsync(FunctionsHostOptions options, CancellationToken cancel = default)
    {
        if (!File.Exists(options.AppDll))
            throw new FileNotFoundException($"The functions app '{options.AppDll}' is not there. Build it.", options.AppDll);
        var host = new FunctionsHost(options);
        try
        {
            await host.rpcServer.StartAsync(cancel);
            await host.webServer.StartAsync(cancel);
            host.Url = AddressOf(host.webServer);
            host.supervisor.Start(new Uri(AddressOf(host.rpcServer)), host.Url);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        host.starting = host.StartTriggersAsync();
        return host;
    }

    /// <summary>Completes when the worker has loaded its functions and all triggers are on.</summary>
    public Task WaitUntilReadyAsync(CancellationToken cancel = default) => starting.WaitAsync(cancel);

    /// <summary>Takes nothing new, lets running functions end, cancels them after a while, then ends the worker.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
        await stopping.CancelAsync();
        await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var ending = Task.WhenAll([webServer.StopAsync(), durable.StopAsync(), .. triggers]);
        if (await Task.WhenAny(ending, Task.Delay(Options.StopPatience)) != ending)
        {
            if (supervisor.Current?.Stream.Running is > 0 and var running)
                host.Logger.InvocationsCancelled(running, Options.StopPatience.TotalSeconds);
            await overdue.CancelAsync();
        }
        await ending;
        await supervisor.DisposeAsync();
        await webServer.DisposeAsync();
        await rpcServer.StopAsync();
        await rpcServer.DisposeAsync();
    }

    private FunctionsHostOptions Options => host.Options;

    private async Task StartTriggersAsync()
    {
        try
        {
            var worker = await supervisor.FirstAsync(stopping.Token);
            await durable.StartAsync();
            foreach (var function in worker.Functions.Values)
                await StartTriggerAsync(function);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            host.Logger.TriggersNotStarted(exception.Message);
            throw;
        }
    }

    /// <summary>One function's bad binding does not keep the others from being served.</summary>
    private async Task StartTriggerAsync(FunctionInfo function)
    {
        try
        {
            if (function.IsTriggeredBy("serviceBusTrigger"))
                triggers.Add(await new ServiceBusTrigger(function, host, supervisor).StartAsync());
            else if (function.IsTriggeredBy("timerTrigger"))
                triggers.Add(new TimerTrigger(function, host, supervisor).Start());
            else if (!new[] { "httpTrigger", "orchestrationTrigger", "activityTrigger" }.Any(function.IsTriggeredBy))
                host.Logger.TriggerNotServed(function.Name, function.TriggerType);
        }
        catch (Exception exception)
        {
            host.Logger.TriggerNotStarted(function.Name, exception.Message);
        }
    }

    /// <summary>For the worker alone: loopback, no limits, since what comes here has been limited where it came in.</summary>
    private WebApplication BuildRpcServer(WorkerStreams streams)
    {
        var builder = Builder("http://127.0.0.1:0", kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = grpc.MaxSendMessageSize = null);
        builder.Services.AddSingleton(streams).AddSingleton(new TaskHubSidecar(Options.Orchestrations));
        var app = builder.Build();
        app.MapGrpcService<WorkerStreams>();
        app.MapGrpcService<TaskHubSidecar>();
        return app;
    }

    private WebApplication BuildWebServer()
    {
        var maxBodyBytes = UsualMaxBodyBytes;
        if (Options.Settings.TryGetValue(MaxBodySetting, out var text) && !(long.TryParse(text, out maxBodyBytes) && maxBodyBytes > 0))
            throw new InvalidDataException($"Setting {MaxBodySetting} is '{text}'; it must be a number of bytes.");
        var builder = Builder(Options.Url, kestrel => kestrel.Limits.MaxRequestBodySize = maxBodyBytes);
        builder.Services.AddHttpForwarder();
        // Running functions are cancelled at the patience's end; their answers still want to be sent.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Options.StopPatience + TimeSpan.FromSeconds(2));
        return builder.Build();
    }

    private WebApplicationBuilder Builder(string url, Action<KestrelServerOptions> configure)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions()); // configured here alone, not by environment or files
        builder.WebHost.UseKestrelCore().UseUrls(url).ConfigureKestrel(configure);
        builder.Services.AddRouting().AddSingleton(Options.Loggers).AddSingleton<IHostLifetime, NoLifetime>();
        return builder;
    }

    private static string AddressOf(WebApplication server) =>
        server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First().TrimEnd('/');

    /// <summary>Signals are for whoever runs this host.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
