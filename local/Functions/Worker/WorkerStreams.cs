using Grpc.Core;

namespace Sdxl.Local.Functions.Worker;

/// <summary>The gRPC service that workers connect to. Only a worker that was just started, known by its random id, is taken.</summary>
internal sealed class WorkerStreams(ILoggerFactory loggers) : FunctionRpc.FunctionRpcBase
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<WorkerStream>> expected = new();

    /// <summary>The stream of the worker with this id, as soon as it connects; cancelling gives it up.</summary>
    public async Task<WorkerStream> Expect(string workerId, CancellationToken cancel)
    {
        var connected = new TaskCompletionSource<WorkerStream>(TaskCreationOptions.RunContinuationsAsynchronously);
        expected[workerId] = connected;
        try
        {
            return await connected.Task.WaitAsync(cancel);
        }
        finally
        {
            expected.TryRemove(workerId, out _);
        }
    }

    public override async Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken)
            || requestStream.Current.StartStream is not { WorkerId: var workerId }
            || !expected.TryRemove(workerId, out var connected))
        {
            throw new Grpc.Core.RpcException(new Status(StatusCode.PermissionDenied, "This host has started no such worker."));
        }
        var stream = new WorkerStream(requestStream, responseStream, loggers);
        if (connected.TrySetResult(stream))
            await stream.RunAsync(context.CancellationToken);
    }
}
