using System.Collections.Frozen;

namespace Sdxl.Local.Functions.Worker;

/// <summary>
/// A worker that has loaded its functions: process, stream and web address belong together and never change, so that a request cannot be
/// sent to one worker and its invocation to the next.
/// </summary>
internal sealed class RunningWorker
{
    public required WorkerStream Stream { get; init; }
    public required FrozenDictionary<string, FunctionInfo> Functions { get; init; }

    /// <summary>Where its own web server takes the requests of HTTP functions; null in an app without them.</summary>
    public required Uri? HttpUri { get; init; }

    /// <summary>What parameters get that take a durable client.</summary>
    public required string DurableClient { get; init; }

    /// <summary>Takes requests to its HTTP functions.</summary>
    public RequestDelegate Routes { get; set; } = _ => Task.CompletedTask;

    /// <exception cref="WorkerGoneException">It ended before it was ready, or refused; the message says how.</exception>
    /// <exception cref="OperationCanceledException">It was not ready in time.</exception>
    public static async Task<RunningWorker> StartAsync(
        HostContext host, WorkerStream stream, string durableClient, CancellationToken cancel)
    {
        var httpUri = await InitializeAsync(stream, host.Options.AppFolder, cancel);
        var functions = await LoadAsync(stream, host, cancel);
        if (httpUri is not null)
            await Addresses.ListensAsync(httpUri, cancel); // its web server starts beside its stream, and may be later
        return new() { Stream = stream, HttpUri = httpUri, Functions = functions, DurableClient = durableClient };
    }

    /// <inheritdoc cref="WorkerStream.InvokeAsync"/>
    public Task<InvocationResponse> InvokeAsync(
        FunctionInfo function, string invocationId, TypedData value, Dictionary<string, TypedData> metadata, CancellationToken cancel)
    {
        var request = new InvocationRequest
        {
            InvocationId = invocationId,
            FunctionId = function.Id,
            TraceContext = new RpcTraceContext { TraceParent = Activity.Current?.Id ?? "" }, // the worker fails where there is none at all
            InputData = { new ParameterBinding { Name = function.TriggerName, Data = value } },
            TriggerMetadata = { metadata },
        };
        foreach (var name in function.DurableClients)
            request.InputData.Add(new ParameterBinding { Name = name, Data = Typed.Text(DurableClient) });
        return Stream.InvokeAsync(request, cancel);
    }

    private static async Task<Uri?> InitializeAsync(WorkerStream stream, string folder, CancellationToken cancel)
    {
        stream.Send(new() { WorkerInitRequest = new() { HostVersion = "4.0", WorkerDirectory = folder, FunctionAppDirectory = folder } });
        var answer = (await stream.ReplyAsync(cancel)).WorkerInitResponse;
        Demand(answer?.Result, "It refused to initialize");
        return answer!.Capabilities.TryGetValue("HttpUri", out var uri) ? new Uri(uri) : null;
    }

    private static async Task<FrozenDictionary<string, FunctionInfo>> LoadAsync(
        WorkerStream stream, HostContext host, CancellationToken cancel)
    {
        stream.Send(new() { FunctionsMetadataRequest = new() { FunctionAppDirectory = host.Options.AppFolder } });
        var answer = (await stream.ReplyAsync(cancel)).FunctionMetadataResponse;
        Demand(answer?.Result, "It could not list its functions");
        var loading = answer!.FunctionMetadataResults.ToDictionary(metadata => metadata.FunctionId);
        foreach (var (id, metadata) in loading)
            stream.Send(new() { FunctionLoadRequest = new() { FunctionId = id, Metadata = metadata } });
        var loaded = new List<FunctionInfo>();
        for (var left = loading.Count; left > 0; left--)
        {
            var response = (await stream.ReplyAsync(cancel)).FunctionLoadResponse
                ?? throw new WorkerGoneException("It answered something else while its functions were loaded.");
            var metadata = loading[response.FunctionId];
            if (response.Result.Status != StatusResult.Types.Status.Success)
                host.Logger.FunctionNotLoaded(metadata.Name, response.Result.Exception?.Message ?? "no reason given");
            else if (FunctionInfo.From(metadata) is { } function)
                loaded.Add(function);
        }
        return loaded.ToFrozenDictionary(function => function.Name, StringComparer.OrdinalIgnoreCase);
    }

    private static void Demand(StatusResult? result, string failure)
    {
        if (result?.Status != StatusResult.Types.Status.Success)
            throw new WorkerGoneException($"{failure}: {result?.Exception?.Message ?? "no reason given"}.");
    }
}
