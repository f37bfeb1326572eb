namespace Sdxl.Local.Durable;

/// <summary>
/// The single thread of an orchestrator: continuations of its awaits are queued here and run in order by <see cref="Drain"/>.
/// What arrives after <see cref="Close"/> (from an await on something that is not durable) is dropped: the next replay decides again.
/// </summary>
internal sealed class OrchestratorLoop : SynchronizationContext
{
    private readonly Lock gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> queue = new();
    private bool closed;

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            if (!closed)
                queue.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("An orchestrator must not be entered from another thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs a step and everything that follows from it, on the calling thread.</summary>
    public void Run(Action step)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            step();
            Drain();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public void Close()
    {
        lock (gate)
        {
            closed = true;
            queue.Clear();
        }
    }

    private void Drain()
    {
        while (true)
        {
            (SendOrPostCallback Callback, object? State) next;
            lock (gate)
            {
                if (!queue.TryDequeue(out next))
                    return;
            }
            next.Callback(next.State);
        }
    }
}
