using Grpc.Core;

namespace Sdxl.Local.Functions.Worker;

/// <summary>The gRPC service that workers connect to. Only a worker that was just started, known by its random id, is taken.</summary>
internal sealed class WorkerStreams(HostContext host) : FunctionRpc.FunctionRpcBase
{
    private readonly ConcurrentDictionary<string, WorkerStream> expected = new();

    /// <summary>The stream of a worker that is about to connect. One that was expected before is not taken any more.</summary>
    public WorkerStream Expect(string workerId)
    {
        expected.Clear();
        return expected[workerId] = new WorkerStream(host);
    }

    public override async Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.StartStream is not { WorkerId: var workerId }
            || !expected.TryRemove(workerId, out var stream))
            throw new Grpc.Core.RpcException(new Status(StatusCode.PermissionDenied, "This host has started no such worker."));
        await stream.RunAsync(requestStream, responseStream, context.CancellationToken);
    }
}
