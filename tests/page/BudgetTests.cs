using System.Collections.Concurrent;

namespace Sdxl.Tests.Page;

/// <summary>What a first visit costs, and that all of it can be done without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class BudgetTests(Browser browser)
{
    /// <summary>Bytes over the wire, compressed, without pictures and data; and how many files that are.</summary>
    [Theory]
    [InlineData("/", 40_000)]
    [InlineData($"/trainings/{Canned.TrainingId}", 60_000)]
    [InlineData("/trainings", 40_000)]
    [InlineData("/models/me/cat", 40_000)]
    [InlineData("/play", 40_000)]
    [InlineData("/account", 40_000)]
    [InlineData("/sign-in", 40_000)]
    public async Task A_first_visit_is_small_and_asks_seldom(string path, int most)
    {
        await using var api = await FakeApi.StartAsync();
        await using var visit = await Visit.StartAsync(browser, api.Address);
        var files = new ConcurrentBag<IRequest>();
        visit.Page.RequestFinished += (_, request) =>
        {
            if (request.ResourceType is "document" or "script" or "stylesheet")
                files.Add(request);
        };
        await visit.OpenAsync(path);
        await visit.Page.WaitForLoadStateAsync(LoadState.Load);

        var sizes = await Task.WhenAll(files.Select(async file => (file.Url, (await file.SizesAsync()).ResponseBodySize)));
        var told = string.Join(
            '\n',
            sizes.OrderByDescending(file => file.ResponseBodySize).Select(file => $"{file.ResponseBodySize, 7} {file.Url}")
        );
        Assert.True(sizes.Sum(file => file.ResponseBodySize) <= most, $"{sizes.Sum(file => file.ResponseBodySize)} bytes:\n{told}");
        Assert.True(sizes.Length <= 12, $"{sizes.Length} files:\n{told}");
        visit.AssertClean();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/trainings")]
    [InlineData($"/trainings/{Canned.TrainingId}")]
    public async Task Nothing_moves_while_a_page_comes(string path)
    {
        await using var api = await FakeApi.StartAsync();
        await using var visit = await Visit.StartAsync(browser, api.Address);
        await visit.Page.AddInitScriptAsync("""
            window.shift = 0;
            window.moved = [];
            new PerformanceObserver(list => {
              for (const e of list.getEntries()) {
                if (e.hadRecentInput) continue;
                shift += e.value;
                moved.push(`${e.value.toFixed(3)}: ${e.sources.map(s => `${s.node?.outerHTML?.slice(0, 80) ?? s.node?.textContent} from ${s.previousRect.y} to ${s.currentRect.y}`).join(' | ')}`);
              }
            }).observe({ type: 'layout-shift', buffered: true });
            """);
        await visit.OpenAsync(path);
        await visit
            .Page.WaitForLoadStateAsync(LoadState.NetworkIdle)
            .WaitAsync(TimeSpan.FromSeconds(3))
            .ContinueWith(_ => { }, TaskScheduler.Default); // a stream stays open
        var shift = await visit.Page.EvaluateAsync<double>("() => shift");
        Assert.True(shift <= 0.02, $"{shift}: {await visit.Page.EvaluateAsync<string>("() => moved.join(' ; ')")}");
    }

    [Fact]
    public async Task A_thousand_pictures_in_one_drop_are_shown_without_their_bytes_being_read_into_the_page()
    {
        await using var api = await FakeApi.StartAsync();
        api.On("GET", $"/v1/checks/{Canned.CheckId}/report", Canned.Report(1000, 1000));
        await using var visit = await Visit.StartAsync(browser, api.Address);
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        await visit.Page.Locator(".verdict").WaitForAsync();

        Assert.Equal(1000, await visit.Page.Locator(".tile").CountAsync());
        var loaded = await visit.Page.EvaluateAsync<int>(
            "() => performance.getEntriesByType('resource').filter(e => e.name.includes('/picture/')).length"
        );
        Assert.InRange(loaded, 1, 200);
        visit.AssertClean();
    }

    /// <summary>From the start page to a running training to a cancelled one, by the keyboard; the focus is seen at each stop.</summary>
    [Fact]
    public async Task The_whole_way_is_gone_by_keyboard_and_the_focus_is_seen_at_each_stop()
    {
        await using var api = await FakeApi.StartAsync();
        await using var visit = await Visit.StartAsync(browser, api.Address);
        var page = visit.Page;
        await visit.OpenAsync("/");

        await TabToAsync(page, "Try twelve example pictures");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator(".verdict").WaitForAsync();
        await TabToAsync(page, "Person Thing");
        await page.Keyboard.PressAsync("ArrowLeft");
        Assert.True(await page.GetByRole(AriaRole.Radio, new() { Name = "Person" }).IsCheckedAsync());
        await page.Locator(".verdict").WaitForAsync();
        await TabToAsync(page, "Start training");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        await page.GetByText("Step 340 of 1,000").First.WaitForAsync();

        await TabToAsync(page, "Cancel …");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Go on training" })).ToBeFocusedAsync();
        var canceled = page.WaitForRequestAsync("**/cancel");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await canceled;
        visit.AssertClean();
    }

    /// <summary>
    /// Presses Tab until what has the focus says <paramref name="name"/>; each stop must show it: an outline of 2 pixels at least, 3:1
    /// against the page.
    /// </summary>
    private static async Task TabToAsync(IPage page, string name)
    {
        for (var stop = 0; stop < 120; stop++)
        {
            await page.Keyboard.PressAsync("Tab");
            var seen = await page.EvaluateAsync<string[]>("""
                () => {
                  const e = document.activeElement, shown = e.matches('.choice input') ? e.nextElementSibling : e;
                  const style = getComputedStyle(shown), back = getComputedStyle(document.documentElement).backgroundColor;
                  const luminance = text => {
                    const [r, g, b] = text.match(/[\d.]+/g).map(Number).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                  };
                  const [a, b] = [luminance(style.outlineColor), luminance(back)];
                  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                  const name = e.matches('.choice input') ? [...document.querySelectorAll('.choice b')].map(b => b.textContent).join(' ') : e.getAttribute('aria-label') ?? e.textContent;
                  return [name.trim(), style.outlineStyle, style.outlineWidth, ratio.toFixed(1), e === document.body ? 'body' : e.outerHTML.slice(0, 100)];
                }
                """);
            if (seen[4] == "body")
                continue;
            Assert.True(
                seen[1] == "solid"
                    && double.Parse(seen[2].Replace("px", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture)
                        >= 2
                    && double.Parse(seen[3], System.Globalization.CultureInfo.InvariantCulture) >= 3,
                $"the focus on {seen[4]} is not seen: outline {seen[1]} {seen[2]}, {seen[3]}:1"
            );
            if (seen[0].StartsWith(name, StringComparison.Ordinal))
                return;
        }
        Assert.Fail($"120 times Tab do not lead to '{name}'.");
    }
}
