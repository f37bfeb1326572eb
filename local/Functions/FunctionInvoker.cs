namespace Sdxl.Local.Functions;

/// <summary>Runs a function in the worker; adds what its bindings beside the trigger need.</summary>
internal sealed class FunctionInvoker(WorkerSupervisor supervisor)
{
    /// <summary>What a durableClient binding gets: where the sidecar listens, as JSON. Set when the addresses are known.</summary>
    public string DurableClient { get; set; } = "";

    public static string NewInvocationId() => Guid.NewGuid().ToString();

    /// <summary>Waits for a worker, then runs the function.</summary>
    /// <exception cref="WorkerUnavailableException">No worker in time.</exception>
    /// <exception cref="WorkerGoneException">The worker ended before it answered.</exception>
    public async Task<InvocationResponse> InvokeAsync(
        string functionName, TypedData value, IReadOnlyDictionary<string, TypedData> metadata, CancellationToken cancel)
    {
        var worker = await supervisor.GetAsync(cancel);
        if (!worker.Functions.TryGetValue(functionName, out var function))
            throw new InvalidOperationException($"The app has no function '{functionName}'.");
        return await InvokeAsync(worker, function, NewInvocationId(), value, metadata, cancel);
    }

    public Task<InvocationResponse> InvokeAsync(
        RunningWorker worker, FunctionInfo function, string invocationId, TypedData value, IReadOnlyDictionary<string, TypedData> metadata,
        CancellationToken cancel)
    {
        var request = new InvocationRequest
        {
            InvocationId = invocationId,
            FunctionId = function.Id,
            TraceContext = new RpcTraceContext { TraceParent = Activity.Current?.Id ?? "" }, // the worker fails where there is none at all
        };
        request.InputData.Add(new ParameterBinding { Name = function.TriggerName, Data = value });
        foreach (var input in function.Inputs)
        {
            if (string.Equals(input.Text("type"), "durableClient", StringComparison.OrdinalIgnoreCase))
                request.InputData.Add(new ParameterBinding { Name = input.Text("name")!, Data = Typed.Text(DurableClient) });
        }
        foreach (var (name, data) in metadata)
            request.TriggerMetadata[name] = data;
        return worker.Stream.InvokeAsync(request, cancel);
    }

    /// <summary>The binding data of durable clients. Sizes and times are generous: all of it stays on this machine.</summary>
    public static string DurableClientJson(Uri grpc, string publicUrl) => JsonSerializer.Serialize(new
    {
        taskHubName = "local",
        connectionName = (string?)null,
        rpcBaseUrl = grpc.ToString().TrimEnd('/'),
        requiredQueryStringParameters = "",
        httpBaseUrl = $"{publicUrl.TrimEnd('/')}/runtime/webhooks/durabletask", // not served; the client only builds links from it
        maxGrpcMessageSizeInBytes = int.MaxValue, // left out it would mean 0
        grpcHttpClientTimeout = "\"00:10:00\"", // JSON within JSON
    });
}

/// <summary>Values as the worker takes them.</summary>
internal static class Typed
{
    public static TypedData Text(string text) => new() { String = text };

    /// <summary>Absent for null.</summary>
    public static TypedData OrNone(string? text) => text is null ? new TypedData() : Text(text);

    public static TypedData Json<T>(T value) => new() { Json = JsonSerializer.Serialize(value) };

    public static bool Succeeded(this InvocationResponse response) => response.Result?.Status == StatusResult.Types.Status.Success;

    public static string Error(this InvocationResponse response) => response.Result?.Exception is { } exception
        ? $"{exception.Type}: {exception.Message}\n{exception.StackTrace}"
        : $"{response.Result?.Status}, without a reason.";
}
