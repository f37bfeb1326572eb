using Sdxl.Functions.Http;

namespace Sdxl.Tests.Functions;

public sealed class CoalescedTests
{
    private readonly ManualTime time = new();
    private int readings;

    [Fact]
    public async Task All_who_ask_at_once_or_a_moment_later_share_a_reading_and_later_ones_have_their_own()
    {
        var answers = new Coalesced<int>(time, TimeSpan.FromMilliseconds(250));
        var gate = new TaskCompletionSource();
        async Task<int> Read()
        {
            var mine = ++readings;
            await gate.Task;
            return mine;
        }
        var asking = Enumerable.Range(0, 20).Select(_ => answers.GetAsync("a", Read, default)).ToList();
        var other = answers.GetAsync("b", Read, default);
        gate.SetResult();
        Assert.All(await Task.WhenAll(asking), answer => Assert.Equal(1, answer));
        Assert.Equal(2, await other);
        time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(1, await answers.GetAsync("a", Read, default));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(3, await answers.GetAsync("a", Read, default));
        answers.Forget("a");
        Assert.Equal(4, await answers.GetAsync("a", Read, default));
    }

    [Fact]
    public async Task A_failed_reading_serves_nobody_after_it()
    {
        var answers = new Coalesced<int>(time, TimeSpan.FromMinutes(1));
        await Assert.ThrowsAsync<IOException>(() => answers.GetAsync("a", () => throw new IOException(), default));
        Assert.Equal(1, await answers.GetAsync("a", () => Task.FromResult(1), default));
    }

    [Fact]
    public async Task Who_gives_up_waiting_does_not_end_the_reading_of_the_others()
    {
        var answers = new Coalesced<int>(time, TimeSpan.FromMinutes(1));
        var reading = new TaskCompletionSource<int>();
        using var left = new CancellationTokenSource();
        var first = answers.GetAsync("a", () => reading.Task, left.Token);
        var second = answers.GetAsync("a", () => Task.FromResult(-1), default);
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        reading.SetResult(7);
        Assert.Equal(7, await second);
    }
}
