using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Deque.AxeCore.Commons;

namespace Sdxl.Tests.Page;

/// <summary>
/// A browser's window on a host of the page. Whatever the console says, an error of a script, an answer of 400 and more and any request to
/// another host is a finding; a test that provokes one names it.
/// </summary>
public sealed class Visit : IAsyncDisposable
{
    private static readonly string s_axe = new BundledAxeScriptProvider().GetScript();

    private readonly IAsyncDisposable ends;
    private readonly ConcurrentQueue<string> findings = new();

    private Visit(IAsyncDisposable ends, IPage page, Uri host)
    {
        this.ends = ends;
        Page = page;
        Host = host;
    }

    public IPage Page { get; }

    public Uri Host { get; }

    /// <summary>Statuses that the test provokes: their answers and the line that Chromium writes for each are no findings.</summary>
    public HashSet<int> Expected { get; } = [];

    /// <summary>The host is away on purpose: requests that fail are no findings.</summary>
    public bool ExpectsSilence { get; set; }

    public IReadOnlyCollection<string> Findings => findings;

    /// <summary>A browser that was never here: nothing cached, no cookie.</summary>
    public static async Task<IBrowserContext> ProfileAsync(Browser browser, Uri host)
    {
        var profile = await browser.Chromium.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = host.ToString(), ColorScheme = ColorScheme.Light, ViewportSize = new ViewportSize { Width = 1280, Height = 900 },
            ReducedMotion = ReducedMotion.Reduce, Locale = "en-GB", TimezoneId = "UTC",
        });
        profile.SetDefaultTimeout(20_000);
        return profile;
    }

    /// <summary>In a profile of its own, which goes with it.</summary>
    public static async Task<Visit> StartAsync(Browser browser, Uri host)
    {
        var profile = await ProfileAsync(browser, host);
        return Watch(profile, await profile.NewPageAsync(), host);
    }

    /// <summary>In a profile that stays.</summary>
    public static async Task<Visit> StartAsync(IBrowserContext profile, Uri host)
    {
        var page = await profile.NewPageAsync();
        return Watch(page, page, host);
    }

    private static Visit Watch(IAsyncDisposable ends, IPage page, Uri host)
    {
        var visit = new Visit(ends, page, host);
        page.Console += (_, message) => visit.OnConsole(message);
        page.PageError += (_, error) => visit.findings.Enqueue($"page error: {error}");
        page.Response += (_, answer) =>
        {
            if (answer.Status >= 400 && !visit.Expected.Contains(answer.Status))
                visit.findings.Enqueue($"{answer.Status} {answer.Request.Method} {answer.Url}");
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(host.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
                && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                visit.findings.Enqueue($"foreign request: {request.Url}");
        };
        return visit;
    }

    /// <summary>Opens a page of the host and waits until its script has drawn it.</summary>
    public async Task OpenAsync(string path)
    {
        await Page.GotoAsync(path);
        await Page.Locator("main .skeleton").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
    }

    public void AssertClean() => Assert.Empty(findings);

    /// <summary>
    /// axe, with all rules of WCAG 2.2 AA and best practice: no finding of any impact. It runs in the page itself, which has no frames.
    /// </summary>
    /// <param name="coloursOnly">The page is the same as one that was looked at, in another scheme: only contrast can differ.</param>
    public async Task AssertAccessibleAsync(string what, bool coloursOnly = false)
    {
        if (!await Page.EvaluateAsync<bool>("() => 'axe' in window"))
            await Page.EvaluateAsync(s_axe);
        var found = await Page.EvaluateAsync<string>("""
            async runOnly => {
              const { violations, passes, incomplete } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
              if (![...violations, ...passes, ...incomplete].length) throw new Error('axe ran no rule');
              return violations.map(v => `${v.id} (${v.impact}): ${v.help}\n` + v.nodes.slice(0, 3).map(n =>
                `    ${n.html}\n    ${[...n.any, ...n.all, ...n.none].map(c => c.message).join(' ')}`).join('\n')).join('\n');
            }
            """, coloursOnly ? new { type = "rule", values = new[] { "color-contrast" } }
                : new { type = "tag", values = new[] { "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice" } });
        Assert.True(found.Length == 0, $"{what}: {found}");
    }

    /// <summary>Nothing sticks out sideways at the window's width now.</summary>
    public async Task AssertFitsAsync(string what)
    {
        var wide = await Page.EvaluateAsync<string>("""
            () => {
              const limit = innerWidth;
              if (document.documentElement.scrollWidth <= limit) return '';
              const guilty = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > limit + 1 && !e.closest('.scroll'));
              return `${document.documentElement.scrollWidth} > ${limit}: ` + guilty.slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join(' | ');
            }
            """);
        Assert.True(wide.Length == 0, $"{what}: {wide}");
    }

    /// <summary>Drops files on the window as a person does with the mouse.</summary>
    public async Task DropAsync(params (string Name, byte[] Bytes)[] files)
    {
        var list = new JsonArray([
            .. files.Select(file => (JsonNode)new JsonObject { ["name"] = file.Name, ["base64"] = Convert.ToBase64String(file.Bytes) }),
        ]);
        var transfer = await Page.EvaluateHandleAsync(
            """
            json => {
              const transfer = new DataTransfer();
              for (const file of JSON.parse(json))
                transfer.items.add(new File([Uint8Array.from(atob(file.base64), c => c.charCodeAt(0))], file.name));
              return transfer;
            }
            """, list.ToJsonString());
        await Page.DispatchEventAsync("body", "drop", new { dataTransfer = transfer });
    }

    /// <summary>A picture of the window's whole page among the test's artefacts.</summary>
    public Task ScreenshotAsync(string name, bool wholePage = true)
    {
        Directory.CreateDirectory(Artefacts);
        return Page.ScreenshotAsync(
            new PageScreenshotOptions
            {
                Path = Path.Combine(Artefacts, name + ".png"),
                FullPage = wholePage,
                Animations = ScreenshotAnimations.Disabled,
            }
        );
    }

    /// <summary>SDXL_ARTEFACTS, else "screenshots" beside the test assembly.</summary>
    public static string Artefacts { get; } = Environment.GetEnvironmentVariable("SDXL_ARTEFACTS") is { Length: > 0 } folder
        ? Path.GetFullPath(folder) : Path.Combine(AppContext.BaseDirectory, "screenshots");

    public async ValueTask DisposeAsync() => await ends.DisposeAsync();

    private void OnConsole(IConsoleMessage message)
    {
        var text = message.Text;
        if (
            Expected.Any(status => text.Contains($"status of {status}", StringComparison.Ordinal))
            || (ExpectsSilence && text.Contains("net::", StringComparison.Ordinal))
        )
            return;
        findings.Enqueue($"console {message.Type}: {text}");
    }
}
