using System.Runtime.InteropServices;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Settings;
using Sdxl.Local.Azurite;
using Sdxl.Local.Telemetry;

namespace Sdxl.Local.Hosting;

/// <summary>
/// Everything on one machine: Azurite, queues, the deployed functions app and the deployed GPU worker as child processes. Ends them all
/// together.
/// </summary>
internal static class LocalHost
{
    /// <summary>Exit code where another host has the state folder.</summary>
    public const int AlreadyRunning = 3;

    private const int UsualPort = 7071; // as the Functions Core Tools
    private const int UsualQueuePort = 5672; // as the Service Bus emulator
    private const string HostKey = "host", WorkerKey = "worker";

    private static readonly TimeSpan FunctionsStopPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WorkerStopPatience = TimeSpan.FromSeconds(20); // one step and its checkpoint

    public static async Task<int> RunAsync(LocalArguments arguments)
    {
        var state = arguments.State;
        await using var turn = FileLock.TryTake(state.HostLock);
        if (turn is null)
        {
            var other = HostFile.TryRead(state.Path) is { } file ? $": {file.Url} (process {file.Pid})" : "";
            await Console.Error.WriteLineAsync(
                $"A host runs on {state.Path} already{other}. Use that one, stop it, or give another --state.");
            return AlreadyRunning;
        }
        state.RequireCurrent();
        File.Delete(Path.Combine(state.Path, HostFile.Name)); // of a host that was killed
        using var ends = new CancellationTokenSource();
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ends.Cancel();
        }
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        if (arguments.EndsWithInput)
            new Thread(() => EndWithInput(ends)) { IsBackground = true, Name = "Input watch" }.Start();
        using var loggers = LoggerFactory.Create(ConfigureLogging);
        using var traces = LocalTelemetry.Start();
        try
        {
            await ServeAsync(arguments, loggers, ends.Token);
        }
        catch (OperationCanceledException) when (ends.Token.IsCancellationRequested)
        {
            // asked to stop while it started
        }
        return 0;
    }

    /// <summary>They start side by side (what needs another that is not there yet tries again by itself) and end in turn.</summary>
    private static async Task ServeAsync(LocalArguments arguments, ILoggerFactory loggers, CancellationToken end)
    {
        var (state, keys, logger) = (arguments.State, LocalKeys.Of(arguments.State), loggers.CreateLogger("Sdxl.Local"));
        await using var azurite = await AzuriteServer.StartAsync(
            Path.Combine(arguments.Root, "tools", "npm", "node_modules", "azurite", "dist", "src", "blob", "main.js"), state.Azurite,
            logger, end, arguments.Listen, arguments.Listen is null ? null : keys.Storage);
        // Somebody's own, Azure's or the emulator, where the environment names one.
        var given = Environment.GetEnvironmentVariable(Connections.ServiceBus);
        await using var queues = given is { Length: > 0 } ? null
            : await ServiceBusServer.StartAsync(QueuesOf(arguments, keys), loggers.CreateLogger<ServiceBusServer>(), end);
        string BusOf(string key) => queues?.ConnectionString(key, Addresses.Reachable(arguments.Listen ?? IPAddress.Loopback)) ?? given!;
        var programs = new DeployedPrograms(arguments, azurite.ConnectionString, BusOf(HostKey), keys);
        await using var orchestrations = new SqliteOrchestrationService(
            state.OrchestrationsFile, programs.OrchestrationOptions(), TimeProvider.System,
            loggers.CreateLogger<SqliteOrchestrationService>());
        var (port, claim) = arguments.Port == 0 ? Addresses.ClaimPort(IPAddress.Loopback, UsualPort) : (arguments.Port, null);
        await using var claimed = claim;
        await using var functions = await FunctionsHost.StartAsync(
            new FunctionsHostOptions
            {
                AppDll = programs.FunctionsDll,
                Settings = programs.FunctionsSettings(),
                Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"),
                Orchestrations = orchestrations,
                Loggers = loggers,
                StopPatience = FunctionsStopPatience,
                HostNames = programs.HostNames(),
            },
            end);
        // It ends first: its checkpoint and its last events need the others. It starts last, because loading libtorch takes the processors
        // that they need; training takes all of a laptop's cores, and page and API, which take little, come first.
        await using var worker = new SupervisedProcess("The worker", programs.WorkerCommand, logger)
        {
            StopPatience = WorkerStopPatience,
            Priority = ProcessPriorityClass.BelowNormal,
        };
        await azurite.WaitUntilReadyAsync(end);
        var storage = azurite.CreateClient();
        await Task.WhenAll(StorageLayout.Containers.Select(container =>
            storage.GetBlobContainerClient(container).CreateIfNotExistsAsync(cancellationToken: end)));
        await functions.WaitUntilReadyAsync(end);
        if (arguments.HasWorker)
            worker.Start();
        await using var client = new ServiceBusClient(BusOf(HostKey));
        await using var uploads = new UploadsWatcher(storage, client, state.UploadsFile, logger);

        var join = arguments.Listen is null ? null : new JoinToken(azurite.ConnectionString, BusOf(WorkerKey));
        var own = new HostFile(new(functions.Url + "/"), azurite.ConnectionString, Environment.ProcessId, join?.Encode(), keys.Token);
        own.Write(state.Path);
        logger.HostReady(functions.Url, state.Path);
        await Task.Delay(Timeout.Infinite, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        File.Delete(Path.Combine(state.Path, HostFile.Name));
        logger.HostStopping();
    }

    private static ServiceBusServerOptions QueuesOf(LocalArguments arguments, LocalKeys keys) => new()
    {
        DatabasePath = arguments.State.QueuesFile,
        Queues = LocalQueues.All,
        Keys = [new AccessKey(HostKey, keys.Host), new AccessKey(WorkerKey, keys.Worker, LocalQueues.OfWorkers)],
        Address = arguments.Listen ?? IPAddress.Loopback,
        Port = arguments.Listen is not null && Addresses.IsFree(arguments.Listen, UsualQueuePort) ? UsualQueuePort : 0,
    };

    /// <summary>One line a message, with the time; the libraries' chatter is left out.</summary>
    private static void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console =>
        {
            (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss.fff ");
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        foreach (var library in new[] { "Microsoft", "Azure", "System", "Yarp", "Grpc", "DurableTask" })
            logging.AddFilter(library, LogLevel.Warning);
    }

    private static void EndWithInput(CancellationTokenSource ends)
    {
        try
        {
            Console.OpenStandardInput().CopyTo(Stream.Null); // Nobody writes.
        }
        catch (IOException)
        {
            // A broken pipe is an end too.
        }
        ends.Cancel();
    }
}
