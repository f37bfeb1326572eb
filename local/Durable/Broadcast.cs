namespace Sdxl.Local.Durable;

/// <summary>Wakes everyone who took <see cref="Next"/> before the latest <see cref="Fire"/>. Take it first, then look, then await it.</summary>
internal sealed class Broadcast
{
    private TaskCompletionSource current = New();

    public Task Next => Volatile.Read(ref current).Task;

    public void Fire() => Interlocked.Exchange(ref current, New()).TrySetResult();

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
