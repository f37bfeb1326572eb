using Microsoft.DurableTask;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Tests.Durable;

public sealed class KillTests
{
    public static TheoryData<string, int> Moments()
    {
        var moments = new TheoryData<string, int>();
        foreach (var point in new[] { "turn:before-commit", "turn:after-commit", "activity:before-run", "activity:before-commit", "activity:after-commit" })
        {
            for (var time = 1; time <= 4; time++)
                moments.Add(point, time);
        }
        return moments;
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task An_engine_killed_at_any_moment_goes_on_and_ends_with_the_same_result(string point, int time)
    {
        await using var fixture = new EngineFixture();
        fixture.Activity("Add", (int number) => number + 1)
            .Orchestrator("Child", async context => await context.CallActivityAsync<int>("Add", context.GetInput<int>()))
            .Orchestrator("Chain", async context =>
            {
                var value = await context.CallActivityAsync<int>("Add", 0);
                var both = await Task.WhenAll(context.CallActivityAsync<int>("Add", value), context.CallSubOrchestratorAsync<int>("Child", value));
                return both.Sum() + await context.CallActivityAsync<int>("Add", both[0]);
            });
        var reached = new TaskCompletionSource();
        var passes = 0;
        fixture.Engine.FaultPoint = name =>
        {
            if (name == point && Interlocked.Increment(ref passes) == time)
            {
                fixture.Engine.Die();
                reached.SetResult();
            }
        };

        var id = await fixture.Start("Chain");
        await reached.Task.WaitAsync(EngineFixture.Patience);
        await fixture.Restart();

        Assert.Equal(7, await fixture.Output<int>(id));
        var history = fixture.Engine.Store.History(id);
        Assert.Equal(3, history.Count(line => line.Kind == HistoryKind.ActivityCompleted));
        var runs = fixture.Calls.Count;
        Assert.InRange(runs, 4, 6); // four calls; those without a recorded result at the kill ran again
    }
}
