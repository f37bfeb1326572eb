using System.Globalization;
using System.Text.Json.Nodes;

namespace Sdxl.Tests.Page;

/// <summary>A training's page after long: many points and pictures, and many answers.</summary>
[Collection(BrowserCollection.Name)]
public sealed class EnduranceTests(Browser browser) : IAsyncLifetime
{
    private const string Path = $"/trainings/{Canned.TrainingId}";

    private FakeApi api = null!;
    private Visit visit = null!;

    public async Task InitializeAsync()
    {
        api = await FakeApi.StartAsync();
        visit = await Visit.StartAsync(browser, api.Address);
    }

    public async Task DisposeAsync()
    {
        visit.AssertClean();
        await visit.DisposeAsync();
        await api.DisposeAsync();
    }

    /// <summary>
    /// Five thousand points and forty samples: no task of the page holds the window for more than 100 ms, on a processor of a quarter of this one's speed. What counts
    /// is the thread's own time for all tasks of an answer together, so that nothing else that this machine does is counted with it.
    /// </summary>
    [Fact]
    public async Task A_long_training_does_not_hold_the_window()
    {
        const int Slower = 4, Most = 100;
        Put(5000);
        await visit.OpenAsync(Path);
        await visit.Page.Locator(".curve canvas").WaitForAsync();
        await visit.Page.GetByRole(AriaRole.Rowheader, new() { Name = "4,800" }).WaitForAsync();
        var browserSide = await visit.Page.Context.NewCDPSessionAsync(visit.Page);
        await browserSide.SendAsync("Performance.enable", new() { ["timeDomain"] = "threadTicks" });

        for (var step = 5001; step <= 5003; step++)
        {
            var before = await BusyAsync();
            Put(step);
            await visit.Page.GetByText($"Step {step:N0} of 10,000").First.WaitForAsync();
            var took = 1000 * (await BusyAsync() - before);
            Assert.True(took * Slower <= Most, $"an answer keeps the page busy for {took:0.0} ms");
        }

        async Task<double> BusyAsync() => (await browserSide.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray()
            .Single(metric => metric.GetProperty("name").GetString() == "TaskDuration").GetProperty("value").GetDouble();
    }

    /// <summary>Ten minutes of answers, two seconds apart, in a few seconds: the page's timers run a hundred times as fast.</summary>
    [Fact]
    public async Task Ten_minutes_of_answers_leave_no_more_than_what_is_shown_of_them()
    {
        const int Settled = 60, Most = 5_000_000;
        await visit.Page.AddInitScriptAsync("""
            const [once, often] = [setTimeout, setInterval];
            window.setTimeout = (what, ms = 0, ...rest) => once(what, ms / 100, ...rest);
            window.setInterval = (what, ms = 0, ...rest) => often(what, Math.max(10, ms / 100), ...rest);
            """);
        var asked = 0;
        var (settled, over) = (new TaskCompletionSource(), new TaskCompletionSource());
        Put(1000);
        api.On("GET", $"/v1/trainings/{Canned.TrainingId}", http =>
        {
            asked++;
            (asked == Settled ? settled : asked == Settled + 300 ? over : null)?.SetResult();
            return FakeApi.JsonAsync(http, Training(1000 + (2 * asked)));
        });
        api.On("GET", $"/v1/trainings/{Canned.TrainingId}/metrics", http => FakeApi.JsonAsync(http, Canned.Metrics(
            int.Parse(http.Request.Query["after"].FirstOrDefault() ?? "0", CultureInfo.InvariantCulture), 1000 + (2 * asked))));
        await visit.OpenAsync(Path);
        var browserSide = await visit.Page.Context.NewCDPSessionAsync(visit.Page);

        await settled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var before = await HeapAsync();
        await over.Task.WaitAsync(TimeSpan.FromSeconds(60));
        var grown = await HeapAsync() - before;

        Assert.True(grown <= Most, $"{grown:N0} bytes more after 300 answers");

        async Task<double> HeapAsync()
        {
            await browserSide.SendAsync("HeapProfiler.collectGarbage");
            return (await browserSide.SendAsync("Runtime.getHeapUsage"))!.Value.GetProperty("usedSize").GetDouble();
        }
    }

    private void Put(int step) => Canned.Put(api, Training(step));

    private static JsonObject Training(int step)
    {
        var training = Canned.Training("train", "processing", step);
        training["progress"]!["total_steps"] = 10_000;
        return training;
    }
}
