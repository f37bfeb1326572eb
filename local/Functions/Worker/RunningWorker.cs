using System.Collections.Frozen;

namespace Sdxl.Local.Functions.Worker;

/// <summary>
/// A worker that has loaded its functions: process, stream and web address belong together and never change, so that a request cannot be
/// sent to one worker and its invocation to the next.
/// </summary>
internal sealed class RunningWorker
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ListenPoll = TimeSpan.FromMilliseconds(20);

    public required WorkerProcess Process { get; init; }

    public required WorkerStream Stream { get; init; }

    /// <summary>Where its own web server takes the requests of HTTP functions; null in an app without them.</summary>
    public required Uri? HttpUri { get; init; }

    public required FrozenDictionary<string, FunctionInfo> Functions { get; init; }

    /// <summary>Completes when it serves no longer; never fails.</summary>
    public Task Gone => Task.WhenAny(Stream.Ended, Process.Exited);

    /// <exception cref="WorkerGoneException">It ended before it was ready, or refused; the message says how.</exception>
    /// <exception cref="OperationCanceledException">It was not ready in time; it has been killed.</exception>
    public static async Task<RunningWorker> StartAsync(
        FunctionsHostOptions options, Uri grpc, WorkerStreams streams, ILogger logger, CancellationToken cancel)
    {
        var workerId = Guid.NewGuid().ToString();
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var connecting = streams.Expect(workerId, starting.Token);
        var process = WorkerProcess.Start(options, grpc, workerId, logger);
        WorkerStream? stream = null;
        try
        {
            if (await Task.WhenAny(connecting, process.Exited) != connecting)
                throw new WorkerGoneException("It ended before it connected; what it wrote stands above.");
            stream = await connecting;
            var httpUri = await InitializeAsync(stream, options.AppFolder, cancel);
            var functions = await LoadAsync(stream, options.AppFolder, logger, cancel);
            if (httpUri is not null)
                await ListensAsync(httpUri, process, cancel);
            return new RunningWorker { Process = process, Stream = stream, HttpUri = httpUri, Functions = functions };
        }
        catch
        {
            await starting.CancelAsync();
            await connecting.ContinueWith(_ => { }, TaskScheduler.Default);
            stream?.Close();
            process.Kill();
            await process.Exited;
            process.Dispose();
            throw;
        }
    }

    /// <summary>Asks it to end, by message, then by signal, then kills it. Returns its exit code.</summary>
    public async Task<int> EndAsync()
    {
        Stream.Send(new StreamingMessage { WorkerTerminate = new WorkerTerminate() });
        await Process.EndAsync(EndPatience);
        Stream.Close();
        await Stream.Ended;
        var exitCode = Process.ExitCode;
        Process.Dispose();
        return exitCode;
    }

    private static async Task<Uri?> InitializeAsync(WorkerStream stream, string folder, CancellationToken cancel)
    {
        stream.Send(new StreamingMessage
        {
            WorkerInitRequest = new WorkerInitRequest { HostVersion = "4.0", WorkerDirectory = folder, FunctionAppDirectory = folder },
        });
        var answer = (await stream.ReplyAsync(cancel)).WorkerInitResponse;
        Demand(answer?.Result, "It refused to initialize");
        return answer!.Capabilities.TryGetValue("HttpUri", out var uri) ? new Uri(uri) : null;
    }

    private static async Task<FrozenDictionary<string, FunctionInfo>> LoadAsync(
        WorkerStream stream, string folder, ILogger logger, CancellationToken cancel)
    {
        stream.Send(new StreamingMessage { FunctionsMetadataRequest = new FunctionsMetadataRequest { FunctionAppDirectory = folder } });
        var answer = (await stream.ReplyAsync(cancel)).FunctionMetadataResponse;
        Demand(answer?.Result, "It could not list its functions");
        var loading = new Dictionary<string, RpcFunctionMetadata>();
        foreach (var metadata in answer!.FunctionMetadataResults)
        {
            loading[metadata.FunctionId] = metadata;
            var load = new FunctionLoadRequest { FunctionId = metadata.FunctionId, Metadata = metadata };
            stream.Send(new StreamingMessage { FunctionLoadRequest = load });
        }
        var loaded = new Dictionary<string, FunctionInfo>(StringComparer.OrdinalIgnoreCase);
        for (var left = loading.Count; left > 0; left--)
        {
            var response = (await stream.ReplyAsync(cancel)).FunctionLoadResponse
                ?? throw new WorkerGoneException("It answered something else while its functions were loaded.");
            var metadata = loading[response.FunctionId];
            if (response.Result.Status != StatusResult.Types.Status.Success)
                logger.FunctionNotLoaded(metadata.Name, response.Result.Exception?.Message ?? "no reason given");
            else if (FunctionInfo.From(metadata) is { } function)
                loaded[function.Name] = function;
        }
        return loaded.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Its web server starts beside its stream, and may be later.</summary>
    private static async Task ListensAsync(Uri httpUri, WorkerProcess process, CancellationToken cancel)
    {
        while (!process.Exited.IsCompleted)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(httpUri.Host, httpUri.Port, cancel);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(ListenPoll, cancel);
            }
        }
        throw new WorkerGoneException("It ended before its web server listened; what it wrote stands above.");
    }

    private static void Demand(StatusResult? result, string failure)
    {
        if (result?.Status != StatusResult.Types.Status.Success)
            throw new WorkerGoneException($"{failure}: {result?.Exception?.Message ?? "no reason given"}.");
    }
}
