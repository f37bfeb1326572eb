using Sdxl.Local.Functions.Durable;

namespace Sdxl.Local.Functions.Worker;

/// <summary>No worker was ready in time.</summary>
internal sealed class WorkerUnavailableException(TimeSpan waited)
    : Exception($"No functions worker was ready within {waited.TotalSeconds:0.#} s; the host's log says why.");

/// <summary>Keeps one worker running, and gives it to whoever has work for it.</summary>
internal sealed class WorkerSupervisor(HostContext host, WorkerStreams streams) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60); // then it is ended and started again
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(3);

    private SupervisedProcess? process;
    private volatile TaskCompletionSource<RunningWorker> ready = NotReady();
    private volatile bool isEnding;

    /// <summary>Called with each worker before it is given any work.</summary>
    public required Action<RunningWorker> OnReady { get; init; }

    /// <summary>null while none is ready.</summary>
    public RunningWorker? Current => ready.Task is { IsCompletedSuccessfully: true, Result: var worker } ? worker : null;

    /// <summary>null while none is ready.</summary>
    public int? ProcessId => Current is null ? null : process?.ProcessId;

    /// <param name="grpc">Where FunctionRpc and the sidecar are served.</param>
    /// <exception cref="InvalidOperationException">There is no dotnet.</exception>
    public void Start(Uri grpc, string publicUrl)
    {
        WorkerStream stream = null!; // of the worker that is being started
        process = new SupervisedProcess("The functions worker", Command, host.Logger)
        {
            FirstPause = TimeSpan.FromSeconds(0.2),
            StopPatience = EndPatience,
            OnLine = host.Logger.WorkerSaid,
            OnStart = child => _ = ServeAsync(child, stream, TaskHubSidecar.ClientJson(grpc, publicUrl)),
        };
        process.Start();

        ProcessStartInfo Command()
        {
            var workerId = Guid.NewGuid().ToString();
            stream = streams.Expect(workerId);
            return WorkerCommand.For(host.Options, grpc, workerId);
        }
    }

    /// <summary>The first worker, however long it takes.</summary>
    public Task<RunningWorker> FirstAsync(CancellationToken cancel) => ready.Task.WaitAsync(cancel);

    /// <summary>The running worker, or the next.</summary>
    /// <exception cref="WorkerUnavailableException">None came within the host's patience, or the host stops.</exception>
    public async Task<RunningWorker> GetAsync(CancellationToken cancel)
    {
        try
        {
            return await ready.Task.WaitAsync(host.Options.WorkerPatience, cancel);
        }
        catch (Exception exception)
            when (exception is TimeoutException || (exception is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new WorkerUnavailableException(host.Options.WorkerPatience);
        }
    }

    /// <summary>Runs a trigger's function in the running worker, or the next.</summary>
    /// <returns>What went wrong (also: no worker, no such function any more), or null.</returns>
    public async Task<string?> TryInvokeAsync(FunctionInfo trigger, TypedData value, Dictionary<string, TypedData> metadata)
    {
        try
        {
            var worker = await GetAsync(host.Overdue);
            if (!worker.Functions.TryGetValue(trigger.Name, out var function))
                return $"The app has no function '{trigger.Name}' any more.";
            var response = await worker.InvokeAsync(function, Guid.NewGuid().ToString(), value, metadata, CancellationToken.None);
            return response.Succeeded() ? null : response.Error();
        }
        catch (Exception exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Ends the worker and starts no other.</summary>
    public async ValueTask DisposeAsync()
    {
        isEnding = true;
        if (process is not null)
            await process.DisposeAsync();
        ready.TrySetCanceled();
    }

    private static TaskCompletionSource<RunningWorker> NotReady() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A worker's life: made ready, given out until its stream ends, and then ended, whereupon the next is started.</summary>
    private async Task ServeAsync(Process child, WorkerStream stream, string durableClient)
    {
        var life = Stopwatch.StartNew();
        _ = child.WaitForExitAsync().ContinueWith(_ => stream.Close(), TaskScheduler.Default);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stream.Closed);
            limit.CancelAfter(StartLimit);
            var worker = await RunningWorker.StartAsync(host, stream, durableClient, limit.Token);
            host.Logger.WorkerReady(child.Id, worker.Functions.Count, life.ElapsedMilliseconds);
            OnReady(worker);
            ready.SetResult(worker);
            await Task.Delay(Timeout.Infinite, stream.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!isEnding)
                ready = NotReady(); // at once: nobody else is sent to the dead one
        }
        catch (Exception exception)
        {
            var why = exception is not OperationCanceledException ? exception.Message
                : stream.Closed.IsCancellationRequested ? "It ended; what it wrote stands above."
                : $"It took more than {StartLimit.TotalSeconds} s.";
            if (!isEnding)
                host.Logger.WorkerNotReady(child.Id, why);
        }
        stream.Close();
        await process!.EndAsync(child);
    }
}
