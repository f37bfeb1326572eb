namespace Sdxl.Local.Durable;

/// <summary>Wakes everyone who waits. Take <see cref="Next"/> before you look, await it if you found nothing: none is missed.</summary>
internal sealed class Signal
{
    private TaskCompletionSource next = Fresh();

    public Task Next => Volatile.Read(ref next).Task;

    public void Set() => Interlocked.Exchange(ref next, Fresh()).SetResult();

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
