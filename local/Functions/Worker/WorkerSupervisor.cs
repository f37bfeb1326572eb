namespace Sdxl.Local.Functions.Worker;

/// <summary>No worker was ready in time.</summary>
internal sealed class WorkerUnavailableException(TimeSpan waited)
    : Exception($"No functions worker was ready within {waited.TotalSeconds:0.#} s; the host's log says why.");

/// <summary>Keeps one worker running: starts the next when it dies, after 0.2, 0.4 … 30 s; a life of a minute resets the pause.</summary>
internal sealed class WorkerSupervisor(FunctionsHostOptions options, WorkerStreams streams, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyLife = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private volatile TaskCompletionSource<RunningWorker> ready = NotReady();
    private Task running = Task.CompletedTask;

    /// <summary>Called with each worker before it is given any work.</summary>
    public Action<RunningWorker>? OnReady { get; init; }

    /// <summary>null while none is ready.</summary>
    public RunningWorker? Current => ready.Task is { IsCompletedSuccessfully: true, Result: var worker } ? worker : null;

    /// <param name="grpc">Where FunctionRpc is served.</param>
    public void Start(Uri grpc) => running = Task.Run(() => RunAsync(grpc));

    /// <summary>The running worker, or the next.</summary>
    /// <exception cref="WorkerUnavailableException">None came within <see cref="FunctionsHostOptions.WorkerPatience"/>, or the host
    /// stops.</exception>
    public async Task<RunningWorker> GetAsync(CancellationToken cancel)
    {
        try
        {
            return await ready.Task.WaitAsync(options.WorkerPatience, cancel);
        }
        catch (Exception exception)
            when (exception is TimeoutException || (exception is OperationCanceledException && stopping.IsCancellationRequested))
        {
            throw new WorkerUnavailableException(options.WorkerPatience);
        }
    }

    /// <summary>The first worker, however long it takes.</summary>
    public Task<RunningWorker> FirstAsync(CancellationToken cancel) => ready.Task.WaitAsync(cancel);

    /// <summary>Ends the worker and starts no other.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await running;
        ready.TrySetCanceled();
    }

    private static TaskCompletionSource<RunningWorker> NotReady() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync(Uri grpc)
    {
        var stop = Task.Delay(Timeout.Infinite, stopping.Token);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var startedAt = Stopwatch.GetTimestamp();
            string why;
            try
            {
                var worker = await StartAsync(grpc);
                logger.WorkerReady(worker.Process.Id, worker.Functions.Count, (long)Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
                OnReady?.Invoke(worker);
                ready.SetResult(worker);
                await Task.WhenAny(worker.Gone, stop);
                var next = NotReady();
                if (!stopping.IsCancellationRequested)
                    ready = next; // at once: nobody else is sent to the dead one
                var pid = worker.Process.Id;
                why = $"process {pid} ended with code {await worker.EndAsync()}.";
            }
            catch (Exception exception)
            {
                // Whatever it was: a supervisor that ended here would leave a host that looks alive and serves nothing.
                why = exception is OperationCanceledException ? "it was not ready in time." : exception.Message;
            }
            if (stopping.IsCancellationRequested)
                return;
            if (Stopwatch.GetElapsedTime(startedAt) > HealthyLife)
                pause = FirstPause;
            logger.WorkerLost(why, pause.TotalSeconds);
            await Task.Delay(pause, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
        }
    }

    private async Task<RunningWorker> StartAsync(Uri grpc)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        limit.CancelAfter(options.WorkerStartLimit);
        return await RunningWorker.StartAsync(options, grpc, streams, logger, limit.Token);
    }
}
