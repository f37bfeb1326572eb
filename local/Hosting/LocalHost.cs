using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Trainings;
using Sdxl.GpuWorker;
using Sdxl.Local.Azurite;
using Sdxl.Local.Broker;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Hosting;

/// <summary>Everything on one machine: Azurite, queues, the functions app, and the worker as a child process. Ends them all together.</summary>
internal static class LocalHost
{
    /// <summary>Exit code where another host has the state folder.</summary>
    public const int AlreadyRunning = 3;

    private const int UsualPort = 7071; // as the Functions Core Tools

    private static readonly TimeSpan FunctionsStopPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WorkerStopPatience = TimeSpan.FromSeconds(20); // one step and its checkpoint

    public static async Task<int> RunAsync(LocalArguments arguments)
    {
        var state = arguments.State;
        await using var turn = FileLock.TryTake(state.HostLock);
        if (turn is null)
        {
            var other = HostFile.TryRead(state.HostFile);
            await Console.Error.WriteLineAsync(
                $"A host runs on {state.Path} already{(other is null ? "" : $": {other.Url} (process {other.Pid})")}. Use that one, stop it, or give another --state.");
            return AlreadyRunning;
        }

        File.Delete(state.HostFile); // of a host that was killed
        using var loggers = LoggerFactory.Create(LocalLogging.Configure);
        var logger = loggers.CreateLogger("Sdxl.Local");
        await using var azurite = await AzuriteServer.StartAsync(
            Path.Combine(arguments.Root, "tools", "npm", "node_modules", "azurite", "dist", "src", "blob", "main.js"), state.Azurite, logger, CancellationToken.None);
        using var broker = new BrokerFile(state.BrokerFile, TimeProvider.System);
        broker.Declare(LocalQueues.All);
        var storage = azurite.CreateClient();
        foreach (var container in StorageLayout.Containers)
            await storage.GetBlobContainerClient(container).CreateIfNotExistsAsync();

        await using var app = FunctionHost.Build(new FunctionHostOptions
        {
            Functions = typeof(UploadTrigger).Assembly,
            StateFolder = state.Path,
            HostJsonPath = Path.Combine(arguments.Root, "host.json"),
            Url = Address(arguments.Port),
            Storage = storage,
            ServiceBus = new LocalServiceBusClient(broker),
            Configure = builder =>
            {
                ModelSettings.Apply(builder.Configuration, arguments);
                LocalLogging.Configure(builder.Logging);
                builder.Services.AddSdxlFunctions(builder.Configuration);
                builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = FunctionsStopPatience);
                if (arguments.ParentId is { } parent)
                    builder.Services.AddHostedService(provider => new ParentWatch(parent, provider.GetRequiredService<IHostApplicationLifetime>()));
            },
        });
        await app.StartAsync();

        var worker = new SupervisedProcess("The worker", () => WorkerCommand(arguments, azurite.ConnectionString), logger);
        if (arguments.HasWorker)
            worker.Start();
        new HostFile(UrlOf(app), azurite.ConnectionString, Environment.ProcessId).Write(state.HostFile);
        logger.HostReady(UrlOf(app), state.Path);

        await Task.Delay(Timeout.Infinite, app.Lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The worker first: its checkpoint and its last events need storage and queues. Azurite last, by its own using.
        File.Delete(state.HostFile);
        logger.HostStopping();
        await worker.StopAsync(WorkerStopPatience);
        await app.StopAsync();
        return 0;
    }

    private static string Address(int port)
    {
        if (port == 0)
            port = AzuriteServer.IsFree(UsualPort) ? UsualPort : 0;
        return string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
    }

    private static string UrlOf(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    private static ProcessStartInfo WorkerCommand(LocalArguments arguments, string storage)
    {
        var program = Environment.ProcessPath!;
        // Under `dotnet Sdxl.Local.dll` the process is dotnet itself.
        string[] self = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(LocalHost).Assembly.Location] : [];
        var command = new ProcessStartInfo(program,
        [
            .. self, "worker", "--state", arguments.State.Path, "--storage", storage,
            "--parent", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), .. arguments.Settings,
        ])
        {
            Environment = { ["SDXL_ROOT"] = arguments.Root },
        };
        WorkerEnvironment.AddTo(command.Environment);
        return command;
    }
}
