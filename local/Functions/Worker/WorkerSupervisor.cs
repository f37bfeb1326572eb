namespace Sdxl.Local.Functions.Worker;

/// <summary>No worker was ready in time.</summary>
internal sealed class WorkerUnavailableException(TimeSpan waited)
    : Exception($"No functions worker was ready within {waited.TotalSeconds:0.#} s; the host's log says why.");

/// <summary>Keeps one worker running: starts the next when it dies, after 0.2, 0.4 … 30 s; a life of a minute resets the pause.</summary>
internal sealed class WorkerSupervisor(HostContext host, WorkerStreams streams)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyLife = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60); // then it is killed and started again

    private readonly CancellationTokenSource ending = new();
    private volatile TaskCompletionSource<RunningWorker> ready = NotReady();
    private Task running = Task.CompletedTask;

    /// <summary>Called with each worker before it is given any work.</summary>
    public required Action<RunningWorker> OnReady { get; init; }

    /// <summary>null while none is ready.</summary>
    public RunningWorker? Current => ready.Task is { IsCompletedSuccessfully: true, Result: var worker } ? worker : null;

    public void Start(Uri grpc, string publicUrl) => running = Task.Run(() => RunAsync(grpc, publicUrl));

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
            when (exception is TimeoutException || (exception is OperationCanceledException && ending.IsCancellationRequested))
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
    public async Task StopAsync()
    {
        await ending.CancelAsync();
        await running;
        ready.TrySetCanceled();
    }

    private static TaskCompletionSource<RunningWorker> NotReady() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync(Uri grpc, string publicUrl)
    {
        for (var pause = FirstPause; !ending.IsCancellationRequested; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var life = Stopwatch.StartNew();
            var why = await LiveAsync(grpc, publicUrl, life);
            if (ending.IsCancellationRequested)
                return;
            if (life.Elapsed > HealthyLife)
                pause = FirstPause;
            host.Logger.WorkerLost(why, pause.TotalSeconds);
            await Task.Delay(pause, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>How a worker's life ended, whatever it was: a supervisor that threw would leave a host that looks alive.</returns>
    private async Task<string> LiveAsync(Uri grpc, string publicUrl, Stopwatch life)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
            limit.CancelAfter(StartLimit);
            var worker = await RunningWorker.StartAsync(host, streams, grpc, publicUrl, limit.Token);
            host.Logger.WorkerReady(worker.Process.Id, worker.Functions.Count, life.ElapsedMilliseconds);
            OnReady(worker);
            ready.SetResult(worker);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(worker.Stream.Closed, ending.Token);
            await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ending.IsCancellationRequested)
                ready = NotReady(); // at once: nobody else is sent to the dead one
            return $"process {worker.Process.Id} ended with code {await worker.EndAsync()}.";
        }
        catch (Exception exception)
        {
            return exception is OperationCanceledException ? "it was not ready in time." : exception.Message;
        }
    }
}
