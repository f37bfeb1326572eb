using Sdxl.Core.Settings;
using System.Runtime.InteropServices;
using Azure.Messaging.ServiceBus;
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
            var other = HostFile.TryRead(state.Path);
            await Console.Error.WriteLineAsync(
                $"A host runs on {state.Path} already{(other is null ? "" : $": {other.Url} (process {other.Pid})")}. Use that one, stop "
                    + "it, or give another --state."
            );
            return AlreadyRunning;
        }
        state.RequireCurrent();
        File.Delete(Path.Combine(state.Path, HostFile.Name)); // of a host that was killed
        using var ends = new EndRequest(arguments.EndsWithInput);
        using var loggers = LoggerFactory.Create(LocalLogging.Configure);
        var logger = loggers.CreateLogger("Sdxl.Local");
        using var traces = LocalTelemetry.Start();
        var keys = LocalKeys.Of(state);

        // They start side by side; what needs another that is not there yet tries again by itself.
        await using var azurite = await AzuriteServer.StartAsync(
            Path.Combine(arguments.Root, "tools", "npm", "node_modules", "azurite", "dist", "src", "blob", "main.js"),
            state.Azurite,
            logger,
            ends.Token,
            arguments.Listen,
            arguments.Listen is null ? null : keys.Storage
        );
        // Somebody's own, Azure's or the emulator, where the environment names one.
        var given = Environment.GetEnvironmentVariable(Connections.ServiceBus);
        await using var queues = given is { Length: > 0 } ? null
            : await ServiceBusServer.StartAsync(QueuesOf(arguments, keys), loggers.CreateLogger<ServiceBusServer>(), ends.Token);
        var address = Addresses.Reachable(arguments.Listen ?? IPAddress.Loopback);
        var serviceBus = queues?.ConnectionString(HostKey, address) ?? given!;
        var programs = new DeployedPrograms(arguments, azurite.ConnectionString, serviceBus, keys);
        // Training takes all of a laptop's cores: page and API, which take little, come first.
        var worker = new SupervisedProcess("The worker", programs.WorkerCommand, logger) { Priority = ProcessPriorityClass.BelowNormal };
        await using var orchestrations = new SqliteOrchestrationService(
            state.OrchestrationsFile,
            programs.OrchestrationOptions(),
            TimeProvider.System,
            loggers.CreateLogger<SqliteOrchestrationService>()
        );
        try
        {
            await using var functions = await FunctionsHost.StartAsync(
                new FunctionsHostOptions
                {
                    AppDll = programs.FunctionsDll,
                    Settings = programs.FunctionsSettings(),
                    Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{PortOf(arguments.Port)}"),
                    Orchestrations = orchestrations,
                    Loggers = loggers,
                    StopPatience = FunctionsStopPatience,
                    HostNames = programs.HostNames(),
                },
                ends.Token);
            await azurite.WaitUntilReadyAsync(ends.Token);
            var storage = azurite.CreateClient();
            await Task.WhenAll(
                StorageLayout.Containers.Select(container =>
                    storage.GetBlobContainerClient(container).CreateIfNotExistsAsync(cancellationToken: ends.Token)
                )
            );
            await functions.WaitUntilReadyAsync(ends.Token);
            // Last, because loading libtorch takes the processors that the others need, and pictures are prepared before it has a job.
            if (arguments.HasWorker)
                worker.Start();
            await using var client = new ServiceBusClient(serviceBus);
            await using var uploads = new UploadsWatcher(storage, client, state.UploadsFile, logger);
            uploads.Start();

            var join = arguments.Listen is null
                ? null
                : new JoinToken(azurite.ConnectionString, queues?.ConnectionString(WorkerKey, address) ?? serviceBus).Encode();
            new HostFile(new Uri(functions.Url + "/"), azurite.ConnectionString, Environment.ProcessId, join, keys.Token).Write(state.Path);
            logger.HostReady(functions.Url, state.Path);
            await ends.WaitAsync();
            File.Delete(Path.Combine(state.Path, HostFile.Name));
            logger.HostStopping();
            // The worker first: its checkpoint and its last events need storage and queues. Azurite last, by its own using.
            await worker.StopAsync(WorkerStopPatience);
            return 0;
        }
        catch (OperationCanceledException) when (ends.Token.IsCancellationRequested)
        {
            return 0; // asked to stop while it started
        }
        finally
        {
            await worker.StopAsync(WorkerStopPatience);
        }
    }

    private static ServiceBusServerOptions QueuesOf(LocalArguments arguments, LocalKeys keys)
    {
        var address = arguments.Listen ?? IPAddress.Loopback;
        return new ServiceBusServerOptions
        {
            DatabasePath = arguments.State.QueuesFile,
            Queues = LocalQueues.All,
            Keys = [new AccessKey(HostKey, keys.Host), new AccessKey(WorkerKey, keys.Worker, LocalQueues.OfWorkers)],
            Address = address,
            Port = arguments.Listen is not null && Addresses.IsFree(address, UsualQueuePort) ? UsualQueuePort : 0,
        };
    }

    private static int PortOf(int port) => port != 0 ? port : Addresses.IsFree(IPAddress.Loopback, UsualPort) ? UsualPort : 0;
}

/// <summary>When the host is to end: SIGTERM, Ctrl-C, or the end of its standard input where it was started so.</summary>
internal sealed class EndRequest : IDisposable
{
    private readonly CancellationTokenSource asked = new();
    private readonly PosixSignalRegistration[] signals;

    public EndRequest(bool endsWithInput)
    {
        signals = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            asked.Cancel();
        }))];
        if (endsWithInput)
            new Thread(WatchInput) { IsBackground = true, Name = "Input watch" }.Start();
    }

    public CancellationToken Token => asked.Token;

    public Task WaitAsync() => Task.Delay(Timeout.Infinite, asked.Token).ContinueWith(_ => { }, TaskScheduler.Default);

    public void Dispose()
    {
        foreach (var signal in signals)
            signal.Dispose();
    }

    private void WatchInput()
    {
        using var input = Console.OpenStandardInput();
        try
        {
            while (input.ReadByte() >= 0)
            {
                // Nobody writes.
            }
        }
        catch (IOException)
        {
            // A broken pipe is an end too.
        }
        asked.Cancel();
    }
}
