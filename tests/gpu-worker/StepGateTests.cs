using Sdxl.GpuWorker.Jobs;

namespace Sdxl.Tests.GpuWorker;

/// <summary>Predictions between the steps of a training: never both at a time, and neither waits for ever.</summary>
public sealed class StepGateTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Nobody_waits_where_no_training_runs()
    {
        var gate = new StepGate();
        (await gate.EnterAsync(CancellationToken.None).WaitAsync(Soon)).Dispose();
        gate.Pass(); // and a training passes where nobody wants to draw
    }

    [Fact]
    public async Task Drawing_and_steps_take_turns_and_all_of_both_are_done()
    {
        var gate = new StepGate();
        await gate.BeginAsync(CancellationToken.None);
        var (inside, together, steps) = (0, false, 0);
        var over = false;
        var training = Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref over))
                {
                    gate.Pass();
                    together |= Volatile.Read(ref inside) > 0; // a step
                    steps++;
                }
                gate.End();
            },
            TaskCreationOptions.LongRunning);
        for (var drawn = 0; drawn < 500; drawn++)
        {
            using (await gate.EnterAsync(CancellationToken.None).WaitAsync(Soon))
            {
                Interlocked.Increment(ref inside);
                await Task.Yield();
                Interlocked.Decrement(ref inside);
            }
        }
        Volatile.Write(ref over, true);
        await training.WaitAsync(Soon);
        Assert.False(together);
        Assert.True(steps > 0);
    }

    [Fact]
    public async Task A_training_that_ends_lets_those_in_who_waited_for_its_next_step()
    {
        var gate = new StepGate();
        await gate.BeginAsync(CancellationToken.None);
        var waiting = gate.EnterAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        gate.End();
        (await waiting.WaitAsync(Soon)).Dispose();
    }

    [Fact]
    public async Task One_that_does_not_wait_any_longer_does_not_hold_the_training()
    {
        var gate = new StepGate();
        await gate.BeginAsync(CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var waiting = gate.EnterAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Task.Run(gate.Pass).WaitAsync(Soon);
    }

    [Fact]
    public async Task A_training_begins_when_nobody_draws_any_more()
    {
        var gate = new StepGate();
        var (one, two) = (await gate.EnterAsync(CancellationToken.None), await gate.EnterAsync(CancellationToken.None));
        var beginning = gate.BeginAsync(CancellationToken.None);
        one.Dispose();
        Assert.False(gate.IsTraining);
        two.Dispose();
        await beginning.WaitAsync(Soon);
        Assert.True(gate.IsTraining);
    }
}
