using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Sdxl.Tests.Page;

/// <summary>
/// Every page in every state of the design's table, in both schemes: axe finds nothing, the console says nothing, nothing sticks out from
/// 360 pixels to 1280 and at 400 % zoom (1280 / 4 = 320 pixels). Each leaves four screenshots for people to look at.
/// </summary>
[Collection(StatesCollection.Name)]
public sealed class StatesTests(Browser browser, Site site)
{
    private static readonly Dictionary<string, State> s_states = new()
    {
        ["start-empty"] = new("/"),
        ["start-with-trainings"] = new(
            "/",
            api =>
                api.On(
                    "GET",
                    "/v1/trainings",
                    Canned.Page(Canned.Training("train", "processing", 340), Canned.Training("done", "succeeded", 1000))
                ),
            Then: async visit => await visit.Page.GetByText("All settings").ClickAsync()
        ),
        ["start-uploading"] = new(
            "/",
            api =>
                api.On(
                    "POST",
                    "/v1/checks",
                    async http => await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default)
                ),
            Dropped
        ),
        ["start-looking"] = new(
            $"/?check={Canned.CheckId}",
            api =>
            {
                api.On("GET", $"/v1/checks/{Canned.CheckId}", Canned.Check("processing", "prepare"));
                api.On("GET", $"/v1/checks/{Canned.CheckId}/report", Canned.Report(12, 7));
            },
            visit => visit.Page.GetByText("Looking at the pictures: 7 of 12").WaitForAsync()
        ),
        ["start-ready"] = new($"/?check={Canned.CheckId}", null, visit => visit.Page.Locator(".verdict").WaitForAsync()),
        ["start-conflict"] = new(
            $"/?check={Canned.CheckId}",
            api => api.Fails("PATCH", $"/v1/checks/{Canned.CheckId}/pictures/0", 412, "It was changed meanwhile."),
            async visit =>
            {
                visit.Expected.Add(412);
                await visit.Page.GetByLabel("Caption of picture 1", new() { Exact = true }).FillAsync("mine");
                await visit.Page.GetByLabel("Caption of picture 2", new() { Exact = true }).FocusAsync();
                await visit.Page.GetByText("Somebody else changed this picture").WaitForAsync();
            }
        ),
        ["start-mask"] = new(
            $"/?check={Canned.CheckId}",
            null,
            async visit =>
            {
                await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Mask … of cat 01.jpg" }).ClickAsync();
                await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Nothing counts" }).ClickAsync();
                await visit.Page.GetByLabel("Mask over the picture").PressAsync("Space");
            }
        ),
        ["start-again"] = new($"/?again={Canned.TrainingId}", null, visit => visit.Page.GetByText("Seed: 42").WaitForAsync()),
        ["start-further"] = new(
            $"/?from=me/cat:{Canned.Version}",
            null,
            async visit =>
            {
                await visit.Page.GetByText("Lora rank: 16").WaitForAsync();
                await visit.DropAsync(Pictures(2));
                await visit.Page.Locator(".verdict").WaitForAsync();
            }
        ),
        ["start-refused"] = new(
            "/",
            api =>
                api.Fails(
                    "POST",
                    "/v1/checks",
                    422,
                    "None of the 1 pictures in 'pictures.zip' can be used: 1.jpg is no picture inside. Send others."
                ),
            async visit =>
            {
                visit.Expected.Add(422);
                await visit.DropAsync(Pictures(1));
                await visit.Page.GetByRole(AriaRole.Alert).WaitForAsync();
            }
        ),
        ["trainings-empty"] = new("/trainings"),
        ["trainings"] = new(
            "/trainings",
            api =>
                api.On(
                    "GET",
                    "/v1/trainings",
                    Canned.Page(
                        Canned.Training("train", "processing", 340),
                        Canned.Training("done", "succeeded", 1000),
                        Canned.Training("train", "failed", 20, "The training diverges: the loss is no number since step 18. Lower lora_lr.")
                    )
                )
        ),
        ["training-queued"] = Training("queued", "starting"),
        ["training-pictures"] = Training("prepare", "processing"),
        ["training-running"] = Training("train", "processing", 640, then: async visit =>
        {
            await visit.Page.GetByText("Loss fell from").WaitForAsync();
            await visit.Page.Locator(".curve canvas").WaitForAsync();
        }),
        ["training-recommended"] = new(
            $"/trainings/{Canned.TrainingId}", api => Canned.Put(api, Canned.Measured()),
            visit => visit.Page.GetByText("Recommended: step 400.").WaitForAsync()),
        ["training-ready"] = Training("done", "succeeded", 1000, then: visit => visit.Page.GetByText("cat is ready").First.WaitForAsync()),
        ["training-failed"] = Training(
            "train",
            "failed",
            20,
            "The training diverges: the loss is no number since step 18. Lower lora_lr, or raise lr_warmup_steps."
        ),
        ["training-cancelled"] = Training("train", "canceled", 340),
        ["training-log-and-code"] = Training("train", "processing", 340, then: async visit =>
        {
            await visit.Page.GetByText("Log", new() { Exact = true }).ClickAsync();
            await visit.Page.GetByText("Copy as code").ClickAsync();
            await visit.Page.GetByText("As a table").ClickAsync();
            await visit.Page.GetByText("unpacking pictures.zip").WaitForAsync();
        }),
        ["training-cancel-dialog"] = Training("train", "processing", 340, then: async visit =>
        {
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel …" }).ClickAsync();
            await visit.Page.GetByRole(AriaRole.Dialog).WaitForAsync();
        }),
        ["training-viewer"] = Training("train", "processing", 640, then: async visit =>
        {
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open step 400: TOK on the moon" }).ClickAsync();
            await visit.Page.GetByLabel("Compare with").SelectOptionAsync("0");
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Larger" }).ClickAsync();
        }),
        ["training-hostile"] = new($"/trainings/{Canned.TrainingId}", api =>
        {
            var training = Canned.Training("train", "failed", 20, $"{Canned.Hostile} {new string('x', 10_000)}");
            training["warnings"] = new JsonArray(Canned.Hostile);
            Canned.Put(api, training);
            var report = Canned.Report(12, 12);
            report["pictures"]![0]!["caption"] = Canned.Hostile;
            report["pictures"]![1]!["name"] = $"{Canned.Hostile}.jpg";
            report["pictures"]![2]!["caption"] = new string('ח', 400);
            api.On("GET", $"/v1/trainings/{Canned.TrainingId}/report", report);
        }, visit => visit.Page.Locator("summary", new() { HasText = "Pictures (12)" }).ClickAsync()),
        ["not-there"] = new("/trainings/another", null, visit => visit.Page.GetByText("Not yours, or not there.").WaitForAsync(), 404),
        ["models-empty"] = new("/models", api => api.On("GET", "/v1/models", Canned.Page())),
        ["models"] = new("/models"),
        ["model"] = new("/models/me/cat", null, visit => visit.Page.GetByText("Copy as code").ClickAsync()),
        ["play-empty"] = new("/play"),
        ["play"] = new(
            $"/play?prompt=a+cat&version=me/cat:{Canned.Version}",
            api =>
            {
                foreach (
                    var prediction in new[]
                    {
                        Canned.Prediction("p1", "processing"),
                        Canned.Prediction("p2", "succeeded"),
                        Canned.Prediction("p3", "failed"),
                    }
                )
                    api.On("GET", $"/v1/predictions/{prediction["id"]}", prediction);
                api.On(
                    "GET",
                    "/v1/predictions",
                    Canned.Page(
                        Canned.Prediction("p1", "processing"),
                        Canned.Prediction("p2", "succeeded"),
                        Canned.Prediction("p3", "failed")
                    )
                );
            },
            visit => visit.Page.GetByText("The prompt lacks the trigger word").WaitForAsync()
        ),
        ["play-one"] = new(
            "/play/p2",
            api => api.On("GET", "/v1/predictions/p2", Canned.Prediction("p2", "succeeded")),
            visit => visit.Page.GetByText("a photo of TOK on the beach").First.WaitForAsync()
        ),
        ["play-viewer"] = new(
            "/play",
            api =>
                api.On(
                    "GET",
                    "/v1/predictions",
                    Canned.Page(Canned.Prediction("p2", "succeeded"), Canned.Prediction("p4", "succeeded", 8))
                ),
            async visit =>
            {
                await visit.Page.Locator(".shot").First.ClickAsync();
                await visit.Page.Keyboard.PressAsync("ArrowRight");
                await visit.Page.GetByRole(AriaRole.Heading, new() { Name = "a photo of TOK on the beach, seed 8" }).WaitForAsync();
            }
        ),
        ["play-mask"] = new(
            "/play",
            null,
            async visit =>
            {
                await PlayTests.ChooseAsync(visit.Page);
                await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Paint the mask …" }).ClickAsync();
                await visit.Page.GetByLabel("Mask over the picture").PressAsync("Space");
            }
        ),
        ["account"] = new("/account"),
        ["account-bare"] = new("/account", api =>
        {
            api.Lacks("GET", "/v1/tokens");
            api.Lacks("GET", "/v1/subscriptions");
            api.Lacks("GET", "/v1/account/storage");
        }, visit => visit.Page.GetByText("This service does not offer that yet.").First.WaitForAsync(), 404),
        ["sign-in"] = new("/sign-in"),
        ["sign-in-refused"] = new(
            "/sign-in",
            api => api.Fails("POST", "/v1/session", 401, "No such token, or it has expired."),
            async visit =>
            {
                await visit.Page.GetByLabel("API token").FillAsync("wrong");
                await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
                await visit.Page.GetByText("No such token").WaitForAsync();
            },
            401
        ),
    };

    public static TheoryData<string> Names => [.. s_states.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_is_found_by_axe_nor_in_the_console_and_nothing_sticks_out(string name)
    {
        var state = s_states[name];
        await using var visit = await site.VisitAsync(browser);
        state.Set?.Invoke(site.Api);
        if (state.Expected is { } status)
            visit.Expected.Add(status);
        await visit.OpenAsync(state.Path);
        await (state.Then?.Invoke(visit) ?? visit.Page.Locator("h1").WaitForAsync());
        await visit.Page.WaitForFunctionAsync("[...document.images].every(i => i.complete || i.loading === 'lazy')");
        await visit.AssertAccessibleAsync($"{name}, light");
        await visit.ScreenshotAsync($"{name}-light-1280");
        foreach (var width in new[] { 768, 320, 360 })
        {
            await ResizeAsync(visit, width, 800);
            await visit.AssertFitsAsync($"{name} at {width} pixels");
        }
        await visit.ScreenshotAsync($"{name}-light-360");

        await visit.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await visit.ScreenshotAsync($"{name}-dark-360");
        await ResizeAsync(visit, 1280, 900);
        await visit.AssertAccessibleAsync($"{name}, dark", coloursOnly: true);
        await visit.ScreenshotAsync($"{name}-dark-1280");
        visit.AssertClean();
    }

    private static async Task ResizeAsync(Visit visit, int width, int height)
    {
        await visit.Page.SetViewportSizeAsync(width, height);
        await visit.Page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    /// <summary>The example's pictures, by names of the canned report.</summary>
    public static (string Name, byte[] Bytes)[] Pictures(int count)
    {
        using var zip = ZipFile.OpenRead(Path.Combine(TestPaths.Root, "examples", "gizmo.zip"));
        return
        [
            .. zip
                .Entries.Where(entry => entry.Name.EndsWith(".jpg", StringComparison.Ordinal) && !entry.Name.StartsWith('.'))
                .Take(count)
                .Select(
                    (entry, i) =>
                    {
                        var bytes = new MemoryStream();
                        using var content = entry.Open();
                        content.CopyTo(bytes);
                        return ($"cat {i + 1:00}.jpg", bytes.ToArray());
                    }
                ),
        ];
    }

    private static async Task Dropped(Visit visit)
    {
        await visit.DropAsync(Pictures(12));
        await visit.Page.GetByText("Uploading").WaitForAsync();
    }

    private static State Training(string stage, string status, int step = 0, string? error = null, Func<Visit, Task>? then = null) =>
        new($"/trainings/{Canned.TrainingId}", api => Canned.Put(api, Canned.Training(stage, status, step, error)), then);

    /// <param name="Set">What the API answers; null: as it is.</param>
    /// <param name="Then">What brings the state about, and waits until it is there; null: the page alone.</param>
    /// <param name="Expected">A status that belongs to the state.</param>
    private sealed record State(string Path, Action<FakeApi>? Set = null, Func<Visit, Task>? Then = null, int? Expected = null);
}
