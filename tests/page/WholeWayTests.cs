using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.EndToEnd.Tests;

namespace Sdxl.Tests.Page;

/// <summary>The host as users run it: its own processes, Azurite, the toy model.</summary>
public sealed class RealHost : IAsyncLifetime
{
    public LocalHostProcess Process { get; } = new();

    public Task InitializeAsync() => Process.StartAsync();

    public async Task DisposeAsync() => await Process.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class WholeWayCollection : ICollectionFixture<Browser>, ICollectionFixture<RealHost>
{
    public const string Name = "whole way";
}

/// <summary>From a sign-in link to the same picture drawn twice, on the real host; and who is let in.</summary>
[Collection(WholeWayCollection.Name)]
public sealed class WholeWayTests(Browser browser, RealHost real)
{
    private const int Patience = 120_000; // of what a worker does; the rest has the usual 20 s

    private Uri Address => real.Process.Http.BaseAddress!;

    [Fact]
    public async Task From_a_link_and_twelve_pictures_to_a_model_that_draws_the_same_from_the_same_seed()
    {
        await using var visit = await Visit.StartAsync(browser, Address);
        var page = visit.Page;
        await SignInAsync(visit);

        // Photos, a short training.
        await visit.DropAsync(StatesTests.Pictures(12));
        await page.Locator(".verdict").WaitForAsync(new() { Timeout = Patience });
        await page.GetByText("All settings").ClickAsync();
        foreach (
            var (label, value) in new[]
            {
                ("Max train steps", "2000"),
                ("Resolution", "64"),
                ("Train batch size", "1"),
                ("Sample every steps", "20"),
                ("Checkpointing steps", "20"),
                ("Seed", "42"),
            }
        )
        {
            await page.GetByLabel(label, new() { Exact = true }).FillAsync(value);
            await page.GetByLabel(label, new() { Exact = true }).BlurAsync();
        }
        await page.GetByLabel("Name of the model").FillAsync("gizmo");
        await page.Locator("summary", new() { HasText = "All settings" }).ClickAsync();

        // Another resolution has the pictures prepared anew; then a caption is mended.
        await page.Locator(".verdict").WaitForAsync(new() { Timeout = Patience });
        var caption = page.GetByLabel("Caption of picture 1", new() { Exact = true });
        await caption.FillAsync("a photo of TOK, mended");
        await caption.BlurAsync();
        await page.Locator("[data-index='0']").GetByText("Saved.").WaitForAsync(new() { Timeout = Patience });
        await visit.ScreenshotAsync("way-1-pictures");
        await page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await page.WaitForURLAsync("**/trainings/*", new() { Timeout = Patience });
        var training = new Uri(page.Url).AbsolutePath;

        // It is followed, over a reload, and stopped once there are pictures of it.
        await page.GetByRole(AriaRole.Button, new() { Name = "Open step 20: a photo of TOK" }).WaitForAsync(new() { Timeout = Patience });
        await page.ReloadAsync();
        await page.Locator(".curve canvas").WaitForAsync();
        await visit.ScreenshotAsync("way-2-training", wholePage: false);
        await KillTheHostAsync(visit);
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop and keep" }).ClickAsync();
        await page.GetByText("gizmo is ready").First.WaitForAsync(new() { Timeout = Patience });
        await Assertions.Expect(page.Locator(".hash").First).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-9a-f]{64}$"));
        await visit.ScreenshotAsync("way-3-result");
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "trained_model.tar" }).ClickAsync()
        );
        Assert.True(new FileInfo(await download.PathAsync()).Length > 1000);

        // Drawn with, twice.
        await page.GetByRole(AriaRole.Button, new() { Name = "Draw with it" }).ClickAsync();
        await page.GetByLabel("Seed").FillAsync("7");
        await page.GetByLabel("Prompt", new() { Exact = true }).PressAsync("Control+Enter");
        await page.Locator(".drawings img").First.WaitForAsync(new() { Timeout = Patience });
        await page.GetByRole(AriaRole.Button, new() { Name = "Again" }).ClickAsync();
        await Assertions.Expect(page.Locator(".drawings img")).ToHaveCountAsync(2, new() { Timeout = Patience });
        await visit.ScreenshotAsync("way-4-drawings");
        var pictures = new List<string>();
        foreach (var image in await page.Locator(".drawings .shot").AllAsync())
            pictures.Add(
                Convert.ToHexString(SHA256.HashData(await real.Process.Http.GetByteArrayAsync(await image.GetAttributeAsync("href"))))
            );
        Assert.Equal(pictures[0], pictures[1]);

        await page.GetByRole(AriaRole.Link, new() { Name = "Models", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "me/gizmo" }).ClickAsync();
        await page.GetByText("SHA-256").First.WaitForAsync();
        await visit.ScreenshotAsync("way-5-model");
        await visit.OpenAsync("/account");
        await page.GetByText("You are me.").WaitForAsync();
        await page.GetByText("models:").WaitForAsync(); // of what is stored
        await TrainFurtherAsync(visit, training);
        visit.AssertClean();
        await AssertNothingForAnotherAsync(training);
    }

    /// <summary>On the same pictures with what was set for them, one setting taken back to its default.</summary>
    private static async Task TrainFurtherAsync(Visit visit, string training)
    {
        var page = visit.Page;
        await visit.OpenAsync(training);
        await page.GetByRole(AriaRole.Button, new() { Name = "Train further" }).ClickAsync();
        await page.GetByText("Trains further: begins with the weights of me/gizmo:").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Max train steps: 2000" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        var another = new Regex($"/trainings/(?!{training.Split('/')[^1]}$)[^/]+$");
        await Assertions.Expect(page).ToHaveURLAsync(another, new() { Timeout = Patience });
        await page.GetByText("Trained further from").WaitForAsync();
        await page.GetByText("of 800").First.WaitForAsync(new() { Timeout = Patience }); // the toy's own default
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel …" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel the training" }).ClickAsync();
        await page.GetByText("The training was cancelled").WaitForAsync(new() { Timeout = Patience });
    }

    /// <summary>The page stays as it was, and goes on by itself when the host is back.</summary>
    private async Task KillTheHostAsync(Visit visit)
    {
        visit.ExpectsSilence = true;
        visit.Expected.UnionWith([502, 503]);
        await real.Process.KillAsync();
        await visit.Page.GetByText("trying again").WaitForAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open step 20: a photo of TOK" })).ToBeVisibleAsync();
        await real.Process.StartAsync();
        await Assertions.Expect(visit.Page.GetByText("trying again")).ToBeHiddenAsync(new() { Timeout = Patience });
    }

    /// <summary>Another owner's browser: lists hold nothing of ours, and our addresses lead nowhere.</summary>
    private async Task AssertNothingForAnotherAsync(string training)
    {
        using var answer = await real.Process.Http.PostAsJsonAsync("v1/tokens", new { name = "browser", owner = "stranger" });
        var token = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["token"]!.ToString();
        await using var visit = await Visit.StartAsync(browser, Address);
        visit.Expected.UnionWith([401, 404]);
        await visit.Page.GotoAsync("/trainings");
        await visit.Page.GetByLabel("API token").FillAsync(token);
        await visit.Page.GetByLabel("API token").PressAsync("Enter");
        await visit.Page.GetByText("No training yet.").WaitForAsync();
        foreach (var path in new[] { training, "/models/me/gizmo", $"/?again={training.Split('/')[^1]}" })
        {
            await visit.OpenAsync(path);
            await visit
                .Page.GetByText(path.StartsWith("/?", StringComparison.Ordinal) ? "There is no training" : "Not yours, or not there.")
                .WaitForAsync();
        }
        await visit.OpenAsync("/models");
        await Assertions.Expect(visit.Page.GetByText("gizmo")).ToHaveCountAsync(0);
        await visit.OpenAsync("/play");
        await visit.Page.GetByText("Nothing drawn yet.").WaitForAsync();
        visit.AssertClean();
    }

    [Fact]
    public async Task Without_a_session_every_page_asks_for_a_token_and_the_cookie_is_for_this_site_alone()
    {
        await using var visit = await Visit.StartAsync(browser, Address);
        visit.Expected.Add(401);
        await visit.Page.GotoAsync("/trainings");
        await visit.Page.WaitForURLAsync("**/sign-in?return=%2Ftrainings");
        await visit.Page.GetByLabel("API token").FillAsync("sdxl_wrong");
        await visit.Page.GetByLabel("API token").PressAsync("Enter");
        await visit.Page.GetByText("There is no such token").WaitForAsync();

        await visit.Page.GetByLabel("API token").FillAsync(real.Process.Http.DefaultRequestHeaders.Authorization!.Parameter!);
        await visit.Page.GetByLabel("API token").PressAsync("Enter");
        await visit.Page.WaitForURLAsync("**/trainings");

        var cookie = Assert.Single(await visit.Page.Context.CookiesAsync());
        Assert.Equal(("sdxl_session", true, SameSiteAttribute.Strict), (cookie.Name, cookie.HttpOnly, cookie.SameSite));
        visit.AssertClean();
    }

    [Fact]
    public async Task A_session_changes_nothing_for_another_sites_page_and_ends_when_it_is_signed_out_or_its_token_is_revoked()
    {
        var made = (
            await (await real.Process.Http.PostAsJsonAsync("v1/tokens", new { name = "browser" })).Content.ReadFromJsonAsync<JsonObject>()
        )!;
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = true }) { BaseAddress = Address };
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (
                await PostAsync(client, "v1/session", new JsonObject { ["token"] = made["token"]!.ToString() }, "https://evil.example")
            ).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.Created,
            (await PostAsync(client, "v1/session", new JsonObject { ["token"] = made["token"]!.ToString() }, Origin)).StatusCode
        );

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("v1/trainings")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(client, "v1/predictions", [], "https://evil.example")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(client, "v1/predictions", [], null)).StatusCode);
        Assert.NotEqual(HttpStatusCode.Forbidden, (await PostAsync(client, "v1/predictions", [], Origin)).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await real.Process.Http.DeleteAsync($"v1/tokens/{made["id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("v1/trainings")).StatusCode);
    }

    [Fact]
    public async Task A_sign_in_link_works_once()
    {
        var link = (await (await real.Process.Http.PostAsync("v1/session/codes", null)).Content.ReadFromJsonAsync<JsonObject>())!;
        using var client = new HttpClient { BaseAddress = Address };
        var code = new JsonObject { ["code"] = link["code"]!.ToString() };
        Assert.Equal($"{Address}sign-in#code={link["code"]}", link["url"]!.ToString());
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(client, "v1/session", code, Origin)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(client, "v1/session", code, Origin)).StatusCode);
    }

    private string Origin => Address.GetLeftPart(UriPartial.Authority);

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, JsonObject body, string? origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json")),
        };
        if (origin is not null)
            request.Headers.TryAddWithoutValidation("Origin", origin);
        return await client.SendAsync(request);
    }

    /// <summary>As <c>./sdxl up</c> prints it.</summary>
    private async Task SignInAsync(Visit visit)
    {
        var made = (await (await real.Process.Http.PostAsync("v1/session/codes", null)).Content.ReadFromJsonAsync<JsonObject>())!;
        await visit.Page.GotoAsync(made["url"]!.ToString());
        await visit.Page.WaitForURLAsync(Address.ToString());
        await visit.Page.GetByText("Drop pictures, folders or a zip anywhere").WaitForAsync();
    }
}
