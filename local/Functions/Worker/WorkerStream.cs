using Grpc.Core;

namespace Sdxl.Local.Functions.Worker;

/// <summary>The worker died, or the host stops, while or before a function ran; whether it ran is not known.</summary>
internal sealed class WorkerGoneException(string message) : Exception(message);

/// <summary>One worker's two-way stream: requests out in order by one writer, answers in any order, logs to the host's loggers.</summary>
internal sealed class WorkerStream(HostContext host)
{
    private static readonly TimeSpan CancelAgain = TimeSpan.FromSeconds(0.5);

    private readonly Channel<StreamingMessage> outgoing = Channel.CreateUnbounded<StreamingMessage>();
    private readonly Channel<StreamingMessage> replies = Channel.CreateUnbounded<StreamingMessage>();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> running = new();
    private readonly CancellationTokenSource closed = new();
    private bool hasConnected;

    /// <summary>Cancelled when nothing more comes.</summary>
    public CancellationToken Closed => closed.Token;

    /// <summary>Invocations without an answer.</summary>
    public int Running => running.Count;

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
            throw new WorkerGoneException(
                hasConnected ? "It closed its connection while it started." : "It ended before it connected; what it wrote stands above.");
        }
    }

    /// <summary>Runs a function. Cancelling (so does the host's end) asks the function to end and goes on waiting for its answer.</summary>
    /// <exception cref="WorkerGoneException">The stream ended first.</exception>
    public async Task<InvocationResponse> InvokeAsync(InvocationRequest request, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<InvocationResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        running[request.InvocationId] = answer;
        Send(new StreamingMessage { InvocationRequest = request });
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(cancel, host.Overdue);
        await using var asking = cancelled.Token.UnsafeRegister(_ => _ = CancelAsync(request.InvocationId, answer.Task), null);
        await using var ending = Closed.UnsafeRegister(_ => answer.TrySetException(
            new WorkerGoneException("The functions worker ended while the function ran.")), null);
        try
        {
            return await answer.Task;
        }
        finally
        {
            running.TryRemove(request.InvocationId, out _);
        }
    }

    public async Task RunAsync(
        IAsyncStreamReader<StreamingMessage> reader, IServerStreamWriter<StreamingMessage> writer, CancellationToken aborted)
    {
        hasConnected = true;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted, Closed);
        await Task.WhenAll(UntilEndAsync(ReadAsync), UntilEndAsync(WriteAsync));

        async Task ReadAsync()
        {
            while (await reader.MoveNext(stop.Token))
                Take(reader.Current);
        }

        async Task WriteAsync()
        {
            await foreach (var message in outgoing.Reader.ReadAllAsync(stop.Token))
                await writer.WriteAsync(message, CancellationToken.None);
        }
    }

    /// <summary>Whatever still waits is told that the worker is gone.</summary>
    public void Close()
    {
        replies.Writer.TryComplete();
        closed.Cancel();
    }

    /// <summary>The worker died or was let go: both are an end, and what cannot be written to cannot be served.</summary>
    private async Task UntilEndAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception exception)
            when (exception is IOException or OperationCanceledException or Grpc.Core.RpcException or InvalidOperationException)
        {
            // The end.
        }
        Close();
    }

    private void Take(StreamingMessage message)
    {
        if (message.RpcLog is { } line)
        {
            var cause = line.Exception is { } failure ? $"\n{failure.Whole()}" : "";
            host.Options.Loggers.CreateLogger(line.Category).FunctionSaid((LogLevel)line.Level, line.Message + cause, line.InvocationId);
        }
        else if (message.InvocationResponse is not { } response)
        {
            replies.Writer.TryWrite(message);
        }
        else if (running.TryGetValue(response.InvocationId, out var answer))
        {
            answer.TrySetResult(response);
        }
    }

    /// <summary>Repeated, because the worker handles messages concurrently: a cancellation that overtakes its request is lost.</summary>
    private async Task CancelAsync(string invocationId, Task answer)
    {
        while (!answer.IsCompleted)
        {
            Send(new StreamingMessage { InvocationCancel = new InvocationCancel { InvocationId = invocationId } });
            await Task.WhenAny(answer, Task.Delay(CancelAgain));
        }
    }
}
