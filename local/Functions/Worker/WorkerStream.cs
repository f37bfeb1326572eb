using Grpc.Core;

namespace Sdxl.Local.Functions.Worker;

/// <summary>The worker died, or the host stops, while or before a function ran; whether it ran is not known.</summary>
internal sealed class WorkerGoneException(string message) : Exception(message);

/// <summary>One worker's two-way stream: requests out in order by one writer, answers in any order, logs to the host's loggers.</summary>
internal sealed class WorkerStream(
    IAsyncStreamReader<StreamingMessage> reader, IServerStreamWriter<StreamingMessage> writer, ILoggerFactory loggers)
{
    private static readonly TimeSpan FirstCancelPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestCancelPause = TimeSpan.FromSeconds(5);

    private readonly Channel<StreamingMessage> outgoing = Channel.CreateUnbounded<StreamingMessage>(
        new UnboundedChannelOptions { SingleReader = true });
    private readonly Channel<StreamingMessage> replies = Channel.CreateUnbounded<StreamingMessage>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> running = new();
    private readonly CancellationTokenSource closing = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nothing more comes; never fails.</summary>
    public Task Ended => ended.Task;

    /// <summary>Invocations without an answer.</summary>
    public int Running => running.Count;

    public void Close() => closing.Cancel();

    public void Send(StreamingMessage message) => outgoing.Writer.TryWrite(message);

    /// <summary>The next answer that is neither a log line nor an invocation's.</summary>
    /// <exception cref="WorkerGoneException">The stream ended first.</exception>
    public async Task<StreamingMessage> ReplyAsync(CancellationToken cancel)
    {
        try
        {
            return await replies.Reader.ReadAsync(cancel);
        }
        catch (ChannelClosedException)
        {
            throw new WorkerGoneException("It closed its connection while it started.");
        }
    }

    /// <summary>Runs a function. Cancelling asks the function to end and goes on waiting for its answer.</summary>
    /// <exception cref="WorkerGoneException">The stream ended first.</exception>
    public async Task<InvocationResponse> InvokeAsync(InvocationRequest request, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<InvocationResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        running[request.InvocationId] = answer;
        if (ended.Task.IsCompleted && running.TryRemove(request.InvocationId, out _))
            throw Gone();
        Send(new StreamingMessage { InvocationRequest = request });
        await using var registration = cancel.UnsafeRegister(_ => _ = CancelAsync(request.InvocationId, answer.Task), null);
        return await answer.Task;
    }

    public void CancelAll()
    {
        foreach (var (invocationId, answer) in running)
            _ = CancelAsync(invocationId, answer.Task);
    }

    public async Task RunAsync(CancellationToken aborted)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted, closing.Token);
        var writing = WriteAsync(stop.Token);
        try
        {
            while (await reader.MoveNext(stop.Token))
                Take(reader.Current);
        }
        catch (Exception exception)
            when (exception is IOException or OperationCanceledException or Grpc.Core.RpcException or InvalidOperationException)
        {
            // The worker died or was let go: both are an end.
        }
        ended.SetResult();
        replies.Writer.Complete();
        foreach (var invocationId in running.Keys)
        {
            if (running.TryRemove(invocationId, out var answer))
                answer.TrySetException(Gone());
        }
        await stop.CancelAsync();
        await writing;
    }

    private static WorkerGoneException Gone() => new("The functions worker ended while the function ran.");

    private void Take(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.RpcLog:
                Log(message.RpcLog);
                break;
            case StreamingMessage.ContentOneofCase.InvocationResponse:
                if (running.TryRemove(message.InvocationResponse.InvocationId, out var answer))
                    answer.TrySetResult(message.InvocationResponse);
                break;
            default:
                replies.Writer.TryWrite(message);
                break;
        }
    }

    private void Log(RpcLog line)
    {
        var cause = line.Exception is { } failure ? $"\n{failure.Type}: {failure.Message}\n{failure.StackTrace}" : "";
        loggers.CreateLogger(line.Category).FunctionSaid((LogLevel)line.Level, line.Message + cause, line.InvocationId);
    }

    /// <summary>Repeated, because the worker handles messages concurrently: a cancellation that overtakes its request is lost.</summary>
    private async Task CancelAsync(string invocationId, Task answer)
    {
        for (var pause = FirstCancelPause; !answer.IsCompleted; pause = pause * 2 < LongestCancelPause ? pause * 2 : LongestCancelPause)
        {
            Send(new StreamingMessage { InvocationCancel = new InvocationCancel { InvocationId = invocationId } });
            await Task.WhenAny(answer, Task.Delay(pause));
        }
    }

    private async Task WriteAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var message in outgoing.Reader.ReadAllAsync(stop))
                await writer.WriteAsync(message, CancellationToken.None);
        }
        catch (Exception exception)
            when (exception is IOException or OperationCanceledException or Grpc.Core.RpcException or InvalidOperationException)
        {
            closing.Cancel(); // what cannot be written to cannot be served
        }
    }
}
