namespace Sdxl.Bench.Diffusion;

/// <summary>Two sides in one process take turns, a step each: whatever else the machine does, both see the same of it.</summary>
internal sealed class Turns
{
    private readonly SemaphoreSlim[] free = [new(1), new(0)];

    /// <summary>A side's view. Where it is null, the side is alone.</summary>
    internal sealed class Side(Turns turns, int index)
    {
        public void Take() => turns.free[index].Wait();

        public void Give() => turns.free[1 - index].Release();
    }

    /// <summary>Runs both, each on a thread of its own; the first starts.</summary>
    public static (Result First, Result Second) Run(Func<Side, Result> first, Func<Side, Result> second)
    {
        var turns = new Turns();
        var other = Task.Factory.StartNew(
            () => Guarded(second, new Side(turns, 1)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        return (Guarded(first, new Side(turns, 0)), other.GetAwaiter().GetResult());
    }

    private static Result Guarded(Func<Side, Result> run, Side side)
    {
        try
        {
            return run(side);
        }
        catch (Exception e)
        {
            // The other side would wait for ever.
            Console.Error.WriteLine(e);
            Environment.Exit(1);
            throw;
        }
    }
}
