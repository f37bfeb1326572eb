namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>
/// A thread that collects young objects and waits for their finalizers, again and again: what is not referred to at this moment is gone at
/// the next.
/// </summary>
internal sealed class ConstantCollection : IDisposable
{
    private readonly Thread thread;
    private volatile bool stopping;
    private long count;

    public ConstantCollection()
    {
        thread = new Thread(() =>
        {
            while (!stopping)
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
                Interlocked.Increment(ref count);
            }
        });
        thread.Start();
    }

    /// <summary>Collections so far.</summary>
    public long Count => Interlocked.Read(ref count);

    public void Dispose()
    {
        stopping = true;
        thread.Join();
    }
}
