namespace Sdxl.Tests.Page;

/// <summary>The playground: pictures in, a mask painted over them, drawings looked at.</summary>
[Collection(BrowserCollection.Name)]
public sealed class PlayTests(Browser browser, Site site) : IAsyncLifetime
{
    private FakeApi Api => site.Api;
    private Visit visit = null!;

    private IPage Page => visit.Page;

    public async Task InitializeAsync() => visit = await site.VisitAsync(browser);

    public async Task DisposeAsync()
    {
        visit.AssertClean();
        await visit.DisposeAsync();
    }

    /// <summary>Chooses a picture to start from.</summary>
    internal static async Task ChooseAsync(IPage page)
    {
        await page.GetByText("More settings").ClickAsync();
        await page.GetByLabel("Image", new() { Exact = true })
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "cat.jpg",
                    MimeType = "image/jpeg",
                    Buffer = StatesTests.Pictures(1)[0].Bytes,
                }
            );
        await page.GetByRole(AriaRole.Img, new() { Name = "Image, as chosen" }).WaitForAsync();
    }

    [Fact]
    public async Task A_mask_is_painted_over_the_picture_to_start_from_and_white_is_what_is_drawn_anew()
    {
        Api.On("POST", "/v1/predictions", Canned.Prediction("p1", "starting"), 201);
        Api.On("GET", "/v1/predictions/p1", Canned.Prediction("p1", "succeeded"));
        await visit.OpenAsync("/play");
        await ChooseAsync(Page);

        await Page.GetByRole(AriaRole.Button, new() { Name = "Paint the mask …" }).ClickAsync();
        var canvas = Page.GetByLabel("Mask over the picture");
        await canvas.PressAsync("Space");
        var seen = await canvas.EvaluateAsync<double>("c => c.clientWidth / c.clientHeight / (c.width / c.height)");
        Assert.Equal(1, seen, 0.01); // as the picture is: a brush is round
        Assert.Equal(
            "255 0",
            await canvas.EvaluateAsync<string>(
                "c => [[c.width / 2, c.height / 2], [3, 3]].map(([x, y]) => c.getContext('2d').getImageData(x, y, 1, 1).data[0]).join(' ')"
            )
        );
        await Page.GetByRole(AriaRole.Button, new() { Name = "Save the mask" }).ClickAsync();
        await Page.GetByRole(AriaRole.Img, new() { Name = "Mask, as chosen" }).WaitForAsync();
        await Page.GetByLabel("Prompt", new() { Exact = true }).FillAsync("a photo of TOK");
        await Page.GetByLabel("Prompt", new() { Exact = true }).PressAsync("Control+Enter");

        await Page.Locator(".drawings img").WaitForAsync();
        var input = Assert.Single(Api.Sent("POST", "/v1/predictions"))["input"]!;
        Assert.Equal(("/v1/files/f1", "/v1/files/f1"), (input["image"]!.ToString(), input["mask"]!.ToString()));
        Assert.Equal(2, Api.Requests.Count(r => r is { Method: "POST", Path: "/v1/files" }));
    }

    [Fact]
    public async Task Another_picture_has_no_mask_and_one_that_cannot_be_seen_gets_none()
    {
        visit.Expected.Add(404);
        await visit.OpenAsync("/play?mask=/v1/files/f1&image=/v1/files/f2");
        await Page.GetByText("More settings").ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Paint the mask …" }).ClickAsync();
        await Page.GetByRole(AriaRole.Alert).GetByText("no mask can be painted over it").WaitForAsync();

        await Page.GetByRole(AriaRole.Button, new() { Name = "Remove Image" }).ClickAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Img, new() { Name = "Mask, as chosen" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_strip_of_checkpoints_draws_all_published_versions_of_the_training_from_one_seed()
    {
        var (last, checkpoint, others) = (Canned.VersionOf(), Canned.VersionOf(), Canned.VersionOf());
        (checkpoint["id"], checkpoint["step"]) = (Canned.OtherVersion, 400);
        (others["id"], others["training_id"]) = (new string('a', 64), "another");
        Api.On("GET", "/v1/models/me/cat/versions", Canned.Page(others, checkpoint, last));
        Api.On("POST", "/v1/predictions", Canned.Prediction("p1", "starting"), 201);
        Api.On("GET", "/v1/predictions/p1", Canned.Prediction("p1", "succeeded"));
        await visit.OpenAsync($"/play?version=me/cat:{Canned.Version}&prompt=a+photo+of+TOK");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Checkpoints, one seed" }).ClickAsync();
        await Page.GetByText("step 400").WaitForAsync();

        var sent = Api.Sent("POST", "/v1/predictions");
        Assert.Equal([$"me/cat:{Canned.Version}", $"me/cat:{Canned.OtherVersion}"], sent.Select(s => s["version"]!.ToString()));
        Assert.Single(sent.Select(s => s["input"]!["seed"]!.GetValue<long>()).Distinct());
        Assert.All(sent, s => Assert.Equal("a photo of TOK", s["input"]!["prompt"]!.ToString()));
        Assert.All(sent, s => Assert.Null(s["input"]!["step"]));
    }

    [Fact]
    public async Task Of_one_published_version_the_strip_says_where_more_are_published()
    {
        await visit.OpenAsync($"/play?version=me/cat:{Canned.Version}&prompt=a+photo+of+TOK");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Checkpoints, one seed" }).ClickAsync();
        var link = Page.GetByRole(AriaRole.Status).GetByRole(AriaRole.Link, new() { Name = "its page" });
        Assert.Equal($"/trainings/{Canned.TrainingId}", await link.GetAttributeAsync("href"));
        Assert.Empty(Api.Sent("POST", "/v1/predictions"));
    }

    [Fact]
    public async Task Drawings_are_looked_at_large_by_keys_and_two_are_compared()
    {
        Api.On("GET", "/v1/predictions", Canned.Page(Canned.Prediction("p2", "succeeded"), Canned.Prediction("p3", "succeeded", 8)));
        await visit.OpenAsync("/play");
        await Page.GetByRole(AriaRole.Link, new() { Name = "a photo of TOK on the beach, seed 7" }).PressAsync("Enter");
        await Page.Keyboard.PressAsync("+");
        await Page.Keyboard.PressAsync("ArrowRight");
        await Page.GetByRole(AriaRole.Heading, new() { Name = "a photo of TOK on the beach, seed 8" }).WaitForAsync();
        Assert.Equal(
            "1.5",
            await Page.EvaluateAsync<string>("() => document.querySelector('.viewer .pair').style.getPropertyValue('--zoom')")
        );
        await Page.Keyboard.PressAsync("Escape");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).First.ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Compare" }).Last.ClickAsync();
        await Page.GetByLabel("How much of the other picture").WaitForAsync();
        Assert.Equal(2, await Page.Locator(".viewer img").CountAsync());
    }
}
