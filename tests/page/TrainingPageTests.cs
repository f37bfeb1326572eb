namespace Sdxl.Tests.Page;

/// <summary>One training's page while the training goes on, ends, or the host is gone.</summary>
[Collection(BrowserCollection.Name)]
public sealed class TrainingPageTests(Browser browser, Site site) : IAsyncLifetime
{
    private const string Path = $"/trainings/{Canned.TrainingId}";

    private FakeApi Api => site.Api;
    private Visit visit = null!;

    private IPage Page => visit.Page;

    public async Task InitializeAsync() => visit = await site.VisitAsync(browser);

    public async Task DisposeAsync()
    {
        visit.AssertClean();
        await visit.DisposeAsync();
    }

    [Fact]
    public async Task What_the_training_does_next_is_seen_without_a_reload_and_told_in_the_title_and_to_those_who_do_not_see()
    {
        await visit.OpenAsync(Path);
        await Page.GetByText("Step 340 of 1,000").First.WaitForAsync();
        Assert.StartsWith("34% cat", await Page.TitleAsync(), StringComparison.Ordinal);

        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await Page.GetByText("Step 640 of 1,000").First.WaitForAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("4 new sample pictures");
        await Page.GetByRole(AriaRole.Rowheader, new() { Name = "600" }).WaitForAsync();

        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        await Page.GetByText("cat is ready").First.WaitForAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("cat is ready");
        Assert.Equal(1, Api.Requests.Count(r => r.Path.EndsWith("metrics?after=340", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_training_that_waits_says_how_many_are_before_it_and_what_it_goes_on_from()
    {
        var training = Canned.Training("queued", "starting");
        training["from"] = $"me/cat:{Canned.Version}";
        Canned.Put(Api, training);
        await visit.OpenAsync(Path);
        await Page.GetByText("2 trainings ahead of yours · starts in about 4 min").WaitForAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = "me/cat:01234567" }).WaitForAsync();
        await Page.GetByText("Copy as code").ClickAsync();
        await Assertions.Expect(Page.Locator("pre.code")).ToContainTextAsync($"\"from\": \"me/cat:{Canned.Version}\"");
    }

    [Fact]
    public async Task A_result_says_what_it_cost_and_is_compared_with_what_was_drawn_before_training()
    {
        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        await visit.OpenAsync(Path);
        await Page.GetByText("cost at most $0.12").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Compare with before training" }).ClickAsync();
        await Page.GetByRole(AriaRole.Heading, new() { Name = "step 1,000: a photo of TOK" }).WaitForAsync();
        await Page.GetByRole(AriaRole.Img, new() { Name = "before training: a photo of TOK" }).WaitForAsync();
    }

    [Fact]
    public async Task Stop_keeps_and_asks_nothing_while_cancel_says_what_is_lost_and_does_nothing_unless_it_is_meant()
    {
        await visit.OpenAsync(Path);

        await Page.GetByRole(AriaRole.Button, new() { Name = "Stop and keep step 340" }).ClickAsync();
        await Page.GetByText("Stopping after this step; what is trained is kept.").WaitForAsync();
        Assert.Single(Api.Requests, r => r.Path.EndsWith("/stop", StringComparison.Ordinal));

        await Page.GetByRole(AriaRole.Button, new() { Name = "Cancel …" }).ClickAsync();
        await Page.GetByText("What 340 steps have learnt (of 1,000) is lost.").WaitForAsync();
        await Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        Assert.DoesNotContain(Api.Requests, r => r.Path.EndsWith("/cancel", StringComparison.Ordinal));

        await Page.GetByRole(AriaRole.Button, new() { Name = "Cancel …" }).ClickAsync();
        var canceled = Page.WaitForRequestAsync("**/cancel");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the training" }).ClickAsync();
        Assert.Equal("POST", (await canceled).Method);
    }

    [Fact]
    public async Task Samples_are_drawn_now_on_demand_and_where_they_cannot_be_the_page_says_why()
    {
        await visit.OpenAsync(Path);
        var button = Page.GetByRole(AriaRole.Button, new() { Name = "Sample now" });

        await button.ClickAsync();
        await Page.GetByText("Drawn at the next step.").First.WaitForAsync();
        Assert.Single(Api.Requests, r => r.Path.EndsWith("/sample", StringComparison.Ordinal));
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-busy", "true");

        Canned.Put(Api, Canned.Training("train", "processing", 400)); // with the samples of step 400
        await Assertions.Expect(button).Not.ToHaveAttributeAsync("aria-busy", "true", new() { Timeout = 5000 });

        var without = Canned.Training("train", "processing", 401);
        without["input"]!["sample_prompts"] = null;
        Canned.Put(Api, without);
        await Assertions.Expect(button).ToBeDisabledAsync(new() { Timeout = 5000 });
        await Assertions.Expect(button).ToHaveAccessibleDescriptionAsync("It has no sample prompts, so there is nothing to draw.");
    }

    [Fact]
    public async Task A_kept_checkpoint_has_its_files_and_is_published_where_it_is_used()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);

        await Page.GetByLabel("Its files: step 400").ClickAsync();
        var file = Page.GetByRole(AriaRole.Link, new() { Name = "cat-kohya.safetensors" }).First;
        Assert.Equal("/picture/2-cat-kohya.safetensors", await file.GetAttributeAsync("href"));

        await Page.GetByRole(AriaRole.Button, new() { Name = "Use this checkpoint: step 400" }).ClickAsync();
        await Page.ArriveAsync($"**/play?version=me%2Fcat%3A{Canned.OtherVersion}&prompt=a+photo+of+TOK");
        Assert.Single(Api.Requests, r => r is { Method: "POST" } && r.Path.EndsWith("/checkpoints/400", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_that_is_published_already_is_used_without_publishing_it_again()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Use this checkpoint: step 200" }).ClickAsync();
        await Page.ArriveAsync($"**/play?version=me%2Fcat%3A{Canned.Version}&prompt=a+photo+of+TOK");
        Assert.DoesNotContain(Api.Requests, r => r is { Method: "POST" });
    }

    [Fact]
    public async Task A_finished_training_offers_its_other_checkpoints_and_one_that_cannot_be_published_says_why()
    {
        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        Api.Fails("POST", $"/v1/trainings/{Canned.TrainingId}/checkpoints/600", 409, "Checkpoint 600 cannot be published.");
        visit.Expected.Add(409);
        await visit.OpenAsync(Path);

        await Page.GetByText("They are kept until").WaitForAsync();
        Assert.Equal(3, await Page.GetByRole(AriaRole.Button, new() { Name = "Publish another" }).CountAsync()); // 200 is published
        await Page.GetByRole(AriaRole.Button, new() { Name = "Publish another: step 400" }).ClickAsync();
        await Page.GetByRole(AriaRole.Link, new() { Name = $"me/cat:{Canned.OtherVersion[..8]}" }).WaitForAsync();

        await Page.GetByRole(AriaRole.Button, new() { Name = "Publish another: step 600" }).ClickAsync();
        await Page.GetByRole(AriaRole.Alert).GetByText("Checkpoint 600 cannot be published.").WaitForAsync();
    }

    [Fact]
    public async Task Checkpoints_that_were_measured_stand_by_rank_and_the_best_is_recommended_with_its_reason()
    {
        Canned.Put(Api, Canned.Measured());
        await visit.OpenAsync(Path);

        await Page.GetByText("Recommended: step 400.").WaitForAsync();
        await Page.GetByText("is least there, 0.0711").WaitForAsync();
        var ranked = Page.GetByRole(AriaRole.List, new() { Name = "Checkpoints, the best first" }).GetByRole(AriaRole.Listitem);
        Assert.Equal(
            ["400", "600", "800", "1,000", "200"],
            (await ranked.Locator("b").AllInnerTextsAsync()).Select(text => text.Split(' ')[^1]));
        await Assertions.Expect(ranked.First).ToContainTextAsync("0.0711 on the pictures held out");
        var best = Page.GetByRole(AriaRole.Button, new() { Name = "Open step 400: a photo of TOK" }).First;
        await Assertions.Expect(best).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("best")); // the large one

        await Page.GetByRole(AriaRole.Button, new() { Name = "Draw with step 400" }).ClickAsync();
        await Page.ArriveAsync($"**/play?version=me%2Fcat%3A{Canned.OtherVersion}&prompt=a+photo+of+TOK");
    }

    [Fact]
    public async Task A_recommended_step_that_is_the_last_is_what_is_published_and_one_that_was_not_kept_says_what_to_do()
    {
        var training = Canned.Measured();
        (training["recommended"]!["step"], training["input"]!["keep_checkpoints"]) = (1000, false);
        Canned.Put(Api, training);
        await visit.OpenAsync(Path);
        await Page.GetByText("That is what is published.").WaitForAsync();

        training["recommended"]!["step"] = 600;
        Canned.Put(Api, training);
        await Page.ReloadAsync();
        await Page.GetByText("Its weights were not kept. Train again with 600 steps.").WaitForAsync();
    }

    [Fact]
    public async Task What_is_measured_while_it_trains_stands_at_its_row_and_in_the_curve()
    {
        var training = Canned.Training("train", "processing", 640);
        training["input"]!["held_out_pictures"] = 1;
        Canned.Put(Api, training);
        await visit.OpenAsync(Path);

        var row = Page.GetByRole(AriaRole.Row).Filter(new() { Has = Page.GetByRole(AriaRole.Rowheader, new() { Name = "400" }) }).First;
        await Assertions.Expect(row).ToContainTextAsync("0.0711 on the pictures held out");
        await Page.GetByText("The loss on pictures held out was lowest, 0.0711, at step 400.").WaitForAsync();
        await Page.GetByText("As a table").ClickAsync();
        foreach (var loss in new[] { "0.0823", "0.0711", "0.0719" }) // of 640 steps the table shows fifty, and these
            await Page.GetByRole(AriaRole.Cell, new() { Name = loss, Exact = true }).WaitForAsync();
    }

    [Fact]
    public async Task Without_the_stream_of_events_polling_does()
    {
        await Page.RouteAsync("**/events", route => route.AbortAsync());
        visit.ExpectsSilence = true;
        await visit.OpenAsync(Path);
        Canned.Put(Api, Canned.Training("train", "processing", 400));
        await Page.GetByText("Step 400 of 1,000").First.WaitForAsync(new() { Timeout = 5000 });
    }

    [Fact]
    public async Task The_curve_is_read_by_keys_marks_its_row_of_samples_and_has_the_colours_of_its_scheme()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);
        await Page.Locator(".curve canvas").WaitForAsync();

        var reader = Page.GetByLabel("Read a step");
        await reader.FocusAsync();
        await reader.PressAsync("Home");
        for (var i = 0; i < 3; i++)
            await reader.PressAsync("PageUp");
        await Assertions
            .Expect(reader)
            .ToHaveAttributeAsync("aria-valuetext", new System.Text.RegularExpressions.Regex(@"^step \d+: loss 0\.\d+, smoothed 0\.\d+$"));
        await Page.Locator("tr.at").GetByRole(AriaRole.Rowheader).WaitForAsync();

        var light = await DarkestLabelAsync();
        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Page.WaitForFunctionAsync("() => document.querySelector('.curve canvas') !== null");
        var dark = await DarkestLabelAsync();
        Assert.True(light < 110 && dark > 150, $"axis labels: luminance {light} in the light scheme, {dark} in the dark one");
    }

    /// <summary>Opens a sample by keys, and waits until it is there: a key pressed before goes to the page.</summary>
    private async Task OpenSampleAsync()
    {
        const string Title = "step 400: a photo of TOK";
        await Page.GetByRole(AriaRole.Button, new() { Name = "Open " + Title }).PressAsync("Enter");
        await Page.GetByRole(AriaRole.Heading, new() { Name = Title }).WaitForAsync();
    }

    [Fact]
    public async Task Two_checkpoints_are_compared_by_keys_alone()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);
        await OpenSampleAsync();
        await Page.Keyboard.PressAsync("ArrowUp");
        await Page.GetByRole(AriaRole.Heading, new() { Name = "step 600: a photo of TOK" }).WaitForAsync();
        await Page.Keyboard.PressAsync("ArrowRight");
        await Page.GetByRole(AriaRole.Heading, new() { Name = "step 600: TOK on the moon" }).WaitForAsync();
        await Page.GetByLabel("Compare with").SelectOptionAsync("before training");
        await Page.GetByLabel("How much of the other picture").PressAsync("ArrowRight");
        Assert.Equal("49%", await PairAsync("--split"));
        await Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_picture_is_magnified_by_keys_and_the_magnified_spot_stays_on_the_way_to_the_next()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);
        await OpenSampleAsync();
        await Page.Keyboard.PressAsync("+");
        await Page.Keyboard.PressAsync("+");
        await Page.Keyboard.PressAsync("Shift+ArrowRight");
        await Page.Keyboard.PressAsync("ArrowUp");
        await Page.GetByRole(AriaRole.Heading, new() { Name = "step 600: a photo of TOK" }).WaitForAsync();
        Assert.Equal(("2.25", "-10%", "0%"), (await PairAsync("--zoom"), await PairAsync("--x"), await PairAsync("--y")));

        await Page.Keyboard.PressAsync("0");
        Assert.Equal(("1", "0%"), (await PairAsync("--zoom"), await PairAsync("--x")));
    }

    [Fact]
    public async Task A_picture_is_magnified_under_the_wheel_and_moved_by_the_pointer()
    {
        Canned.Put(Api, Canned.Training("train", "processing", 640));
        await visit.OpenAsync(Path);
        await OpenSampleAsync();
        var box = (await Page.Locator(".viewer .pair").BoundingBoxAsync())!;
        await Page.Mouse.MoveAsync(box.X + (box.Width * 3 / 4), box.Y + (box.Height / 2));
        await Page.Mouse.WheelAsync(0, -300);
        await Page.WaitForFunctionAsync("() => Number(document.querySelector('.viewer .pair').style.getPropertyValue('--zoom')) > 2");
        var (zoom, x) = (await NumberAsync("--zoom"), await NumberAsync("--x"));
        Assert.Equal(25 - (25 * zoom), x, 0.5); // what was under the pointer, a quarter to the right, is there still

        await Page.Mouse.DownAsync();
        await Page.Mouse.MoveAsync(box.X + (box.Width * 7 / 8), box.Y + (box.Height / 2));
        await Page.Mouse.UpAsync();
        Assert.Equal(x + 12.5, await NumberAsync("--x"), 0.5);

        async Task<double> NumberAsync(string name) =>
            double.Parse((await PairAsync(name)).TrimEnd('%'), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("curl", "curl -X POST")]
    [InlineData("javascript", "process.env.SDXL_API_TOKEN")]
    [InlineData("python", "os.environ['SDXL_API_TOKEN']")]
    [InlineData("csharp", "GetEnvironmentVariable(\"SDXL_API_TOKEN\")")]
    [InlineData("cli", "./sdxl train")]
    public async Task Each_training_is_a_call_that_repeats_it_in_five_languages(string language, string expected)
    {
        await visit.OpenAsync(Path);
        await Page.GetByText("Copy as code").ClickAsync();
        await Page.GetByLabel("Language").SelectOptionAsync(language);
        await Assertions.Expect(Page.Locator("pre.code")).ToContainTextAsync(expected);
        await Assertions.Expect(Page.Locator("pre.code")).ToContainTextAsync("1000");
    }

    [Fact]
    public async Task Delete_removes_the_training_and_goes_back_to_the_list()
    {
        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        await visit.OpenAsync(Path);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Delete pictures and everything" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Delete all of it" }).ClickAsync();
        await Page.ArriveAsync("**/trainings");
        Assert.Single(Api.Requests, r => r.Method == "DELETE");
    }

    [Fact]
    public async Task Train_further_begins_with_its_version_and_the_same_pictures()
    {
        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        await visit.OpenAsync(Path);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Train further" }).ClickAsync();
        await Page.GetByText("Trains further: begins with the weights of me/cat:01234567.").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var body = Assert.Single(Api.Sent("POST", "/v1/trainings"));
        Assert.Equal((Canned.TrainingId, $"me/cat:{Canned.Version}"), (body["check"]!.ToString(), body["from"]!.ToString()));
    }

    [Fact]
    public async Task Smoothing_has_no_bias_at_its_beginning_and_the_sentence_says_where_the_loss_is_level()
    {
        await visit.OpenAsync(Path);
        var told = await Page.EvaluateAsync<string>("""
            async () => {
              const { smooth, sentence, thin } = await import(`${document.body.dataset.files}curve.js`);
              const flat = smooth([2, 2, null, 2], 0.9);
              const falling = Array.from({ length: 1000 }, (_, i) => ({ step: i + 1, loss: 0.1 + 0.1 * Math.exp(-i / 50) }));
              const rising = falling.map((p, i) => ({ ...p, loss: falling[999 - i].loss }));
              return [flat.map(v => v === null ? 'null' : v.toFixed(6)).join(), smooth([1, 3], 0).join(), sentence(falling), sentence(rising), sentence([]), thin(falling, 3).map(p => p.step).join()].join('\n');
            }
            """);
        var lines = told.Split('\n');
        Assert.Equal(["2.000000,2.000000,null,2.000000", "1,3"], lines[..2]);
        Assert.Matches(@"^Loss fell from 0\.1\d+ to 0\.1 and has been level since step \d{3}\.$", lines[2]);
        Assert.StartsWith("Loss went from", lines[3], StringComparison.Ordinal);
        Assert.Equal(["The curve begins with the first step.", "1,501,1000"], lines[4..]);
    }

    private Task<string> PairAsync(string property) =>
        Page.EvaluateAsync<string>("name => document.querySelector('.viewer .pair').style.getPropertyValue(name)", property);

    /// <summary>Luminance (0–255) of the axis labels: the most frequent colour at the canvas's left edge that is opaque.</summary>
    private Task<double> DarkestLabelAsync() =>
        Page.EvaluateAsync<double>(
            """
            () => {
              const canvas = document.querySelector('.curve canvas'), data = canvas.getContext('2d').getImageData(0, 0, Math.min(45, canvas.width), canvas.height).data;
              let sum = 0, n = 0;
              for (let i = 0; i < data.length; i += 4)
                if (data[i + 3] > 200) { sum += 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2]; n++; }
              return sum / n;
            }
            """
        );
}
