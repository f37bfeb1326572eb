using Sdxl.Functions.Http;

namespace Sdxl.Tests.Functions;

public sealed class RefreshedTests
{
    private readonly ManualTime _time = new();
    private readonly Refreshed<int> _numbers;
    private readonly Queue<TaskCompletionSource<int>> _readings = new();
    private readonly SemaphoreSlim _asked = new(0);

    public RefreshedTests() => _numbers = new Refreshed<int>(_time, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1));

    [Fact]
    public async Task Who_asks_gets_the_last_reading_while_a_newer_one_is_made()
    {
        var first = Ask();
        var same = Ask();
        (await NextAsync()).SetResult(1);
        Assert.Equal((1, 1), (await first, await same));
        Assert.Equal(1, await Ask());
        Assert.Equal(0, _asked.CurrentCount); // fresh: nothing is read

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1, await Ask()); // at once
        var newer = await NextAsync();
        Assert.Equal(1, await Ask());
        newer.SetResult(2);
        await newer.Task;
        Assert.Equal(2, await UntilAsync(2));
        Assert.Equal(0, _asked.CurrentCount);
    }

    [Fact]
    public async Task What_is_too_old_is_not_given()
    {
        var first = Ask();
        (await NextAsync()).SetResult(1);
        await first;
        _time.Advance(TimeSpan.FromMinutes(1));
        var waiting = Ask();
        var newer = await NextAsync();
        Assert.False(waiting.IsCompleted);
        newer.SetResult(2);
        Assert.Equal(2, await waiting);
    }

    [Fact]
    public async Task A_reading_that_fails_is_told_to_who_waits_for_it_and_made_anew()
    {
        var first = Ask();
        (await NextAsync()).SetException(new InvalidOperationException("away"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        var second = Ask();
        (await NextAsync()).SetResult(1);
        Assert.Equal(1, await second);

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1, await Ask());
        (await NextAsync()).SetException(new InvalidOperationException("away")); // nobody waits for it
        Assert.Equal(1, await Ask());
    }

    private Task<int> Ask() => _numbers.GetAsync("", () =>
    {
        var reading = new TaskCompletionSource<int>();
        lock (_readings)
            _readings.Enqueue(reading);
        _asked.Release();
        return reading.Task;
    }, CancellationToken.None);

    private async Task<TaskCompletionSource<int>> NextAsync()
    {
        await _asked.WaitAsync();
        lock (_readings)
            return _readings.Dequeue();
    }

    /// <summary>The reading's own task ends a moment after what it waits for.</summary>
    private async Task<int> UntilAsync(int wanted)
    {
        int got;
        do
        {
            await Task.Yield();
            got = await Ask();
        }
        while (got != wanted);
        return got;
    }
}
