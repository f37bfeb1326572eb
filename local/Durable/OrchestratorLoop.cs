namespace Sdxl.Local.Durable;

/// <summary>
/// The single thread of an orchestrator: continuations of its awaits are queued here and run in order by <see cref="Drain"/>.
/// A durable task ends on that thread only. What another thread posts comes from an await on something that is not durable:
/// it is dropped, because the next replay would see it at another moment or not at all, and reported.
/// </summary>
/// <param name="strayedLate">Called, on any thread, where such a continuation comes after <see cref="Close"/>.</param>
internal sealed class OrchestratorLoop(Action strayedLate) : SynchronizationContext
{
    private readonly Lock gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> queue = new();
    private int runningThread = -1;
    private bool strayed;
    private bool closed;

    /// <summary>Whether a continuation came from another thread so far.</summary>
    public bool HasStrayed
    {
        get
        {
            lock (gate)
                return strayed;
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (gate)
        {
            if (!closed && runningThread == Environment.CurrentManagedThreadId)
            {
                queue.Enqueue((d, state));
                return;
            }
            strayed = true;
            if (!closed)
                return;
        }
        strayedLate();
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("An orchestrator must not be entered from another thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs a step and everything that follows from it, on the calling thread.</summary>
    public void Run(Action step)
    {
        var outer = Current;
        SetSynchronizationContext(this);
        SetRunningThread(Environment.CurrentManagedThreadId);
        try
        {
            step();
            Drain();
        }
        finally
        {
            SetRunningThread(-1);
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

    private void SetRunningThread(int id)
    {
        lock (gate)
            runningThread = id;
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
