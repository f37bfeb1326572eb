namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Lets a prediction in between two steps of a training: whoever wants to draw asks, the training's thread stands still at its next step,
/// and goes on when nobody wants to any more. Nothing of the training changes: it only waits.
/// </summary>
public sealed class StepGate
{
    private readonly object _lock = new(); // Monitor.Wait wants an object
    private readonly List<TaskCompletionSource> _waiting = [];
    private TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _wanted;
    private bool _running, _parked;

    /// <summary>Whether a training is under way, computing or standing still.</summary>
    public bool IsTraining
    {
        get
        {
            lock (_lock)
                return _running;
        }
    }

    /// <summary>A training wants to begin: waits for those that draw. From then on, asking means waiting for its next step.</summary>
    public async Task BeginAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task emptied;
            lock (_lock)
            {
                if (_wanted == 0)
                {
                    _running = true;
                    return;
                }
                emptied = _emptied.Task;
            }
            await emptied.WaitAsync(cancel);
        }
    }

    /// <summary>The training is over: nobody waits for its steps.</summary>
    public void End()
    {
        lock (_lock)
        {
            _running = false;
            Admit();
        }
    }

    /// <summary>Called on the training's thread between two steps: stands still while somebody wants the device.</summary>
    public void Pass()
    {
        lock (_lock)
        {
            while (_wanted > 0)
            {
                _parked = true;
                Admit();
                Monitor.Wait(_lock);
            }
            _parked = false;
        }
    }

    /// <summary>Waits until no training computes; dispose to let it go on.</summary>
    /// <exception cref="OperationCanceledException">Not waited any longer; nothing to dispose then.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancel)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _wanted++;
            _waiting.Add(turn);
            if (!_running || _parked)
                Admit();
        }
        try
        {
            await turn.Task.WaitAsync(cancel);
            return new Leaving(this);
        }
        catch (OperationCanceledException)
        {
            Leave();
            throw;
        }
    }

    private void Admit()
    {
        foreach (var turn in _waiting)
            turn.TrySetResult();
        _waiting.Clear();
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_wanted > 0)
                return;
            Monitor.PulseAll(_lock);
            _emptied.TrySetResult();
            _emptied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private sealed class Leaving(StepGate gate) : IDisposable
    {
        private bool _left;

        public void Dispose()
        {
            if (!_left)
                gate.Leave();
            _left = true;
        }
    }
}
