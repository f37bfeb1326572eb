using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Sdxl.Tests.Page;

/// <summary>The start page: from photos to a running training, and what is mended on the way.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StartTests(Browser browser, Site site) : IAsyncLifetime
{
    private const string Check = $"/v1/checks/{Canned.CheckId}";

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
    public async Task Twelve_photos_are_a_running_training_after_one_drop_one_choice_and_one_click()
    {
        await visit.OpenAsync("/");

        await visit.DropAsync(StatesTests.Pictures(12));
        await Page.GetByRole(AriaRole.Radio, new() { Name = "Person" }).CheckAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var sent = Assert.Single(Api.Sent("POST", "/v1/trainings"));
        Assert.Equal(
            (Canned.CheckId, "pictures", true),
            (sent["check"]!.ToString(), sent["name"]!.ToString(), sent["input"]!["use_face_detection_instead"]!.GetValue<bool>())
        );
        Assert.True(sent["input"]!["keep_checkpoints"]!.GetValue<bool>());
        Assert.Equal(1, sent["input"]!["held_out_pictures"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(12, true, 1, 0)]
    [InlineData(5, false, 0, 1)] // too few to spare one, unless that is wanted
    public async Task A_picture_is_kept_aside_where_there_are_enough_unless_the_box_says_otherwise(
        int pictures, bool isChecked, int byItself, int byHand)
    {
        Api.On("GET", $"/v1/checks/{Canned.CheckId}/report", Canned.Report(pictures, pictures));
        foreach (var (click, expected) in new[] { (false, byItself), (true, byHand) })
        {
            await visit.OpenAsync("/");
            await visit.DropAsync(StatesTests.Pictures(pictures));
            var box = Page.GetByRole(AriaRole.Checkbox, new() { Name = "Keep 1 picture aside to find the best step" });
            await Assertions.Expect(box).ToBeCheckedAsync(new() { Checked = isChecked });
            if (click)
                await box.SetCheckedAsync(!isChecked);
            await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
            await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
            Assert.Equal(expected, Api.Sent("POST", "/v1/trainings").Last()["input"]!["held_out_pictures"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task Checkpoints_are_kept_unless_the_box_that_says_what_they_take_is_cleared()
    {
        await visit.OpenAsync("/");
        await visit.DropAsync(StatesTests.Pictures(12));
        var box = Page.GetByRole(AriaRole.Checkbox, new() { Name = "Keep every checkpoint (557" });
        await Assertions.Expect(box).ToBeCheckedAsync();
        await Page.GetByText("All settings (").ClickAsync();
        await Page.GetByLabel("Lora rank").FillAsync("16");
        await Page.GetByLabel("Lora rank").BlurAsync();
        box = Page.GetByRole(AriaRole.Checkbox, new() { Name = "Keep every checkpoint (279" });
        await box.UncheckAsync();
        await Assertions.Expect(box).Not.ToBeCheckedAsync();

        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        Assert.False(Assert.Single(Api.Sent("POST", "/v1/trainings"))["input"]!["keep_checkpoints"]!.GetValue<bool>());
    }

    [Fact]
    public async Task A_click_before_the_pictures_are_ready_starts_as_soon_as_they_are()
    {
        var ready = 3;
        Api.On(
            "GET",
            Check,
            http =>
                FakeApi.JsonAsync(
                    http,
                    new JsonObject
                    {
                        ["id"] = Canned.CheckId,
                        ["status"] = ready == 12 ? "succeeded" : "processing",
                        ["stage"] = "prepare",
                    }
                )
        );
        Api.On("GET", $"{Check}/report", http => FakeApi.JsonAsync(http, Canned.Report(12, ready)));
        await visit.OpenAsync("/");
        await visit.DropAsync(StatesTests.Pictures(12));
        await Page.GetByText("Looking at the pictures: 3 of 12").WaitForAsync();

        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.GetByText("It starts by itself when the pictures are ready (3 of 12).").WaitForAsync();
        ready = 12;

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
    }

    [Fact]
    public async Task The_button_says_what_is_missing()
    {
        await visit.OpenAsync("/");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.Locator(".go").GetByText("Choose pictures first").WaitForAsync();
        Assert.Empty(Api.Sent("POST", "/v1/trainings"));
    }

    [Fact]
    public async Task Files_chosen_with_the_button_are_shown_at_once_and_sent_as_one_archive()
    {
        await visit.OpenAsync("/");
        await Page.GetByLabel("Choose pictures …")
            .First.SetInputFilesAsync(
                StatesTests
                    .Pictures(2)
                    .Select(p => new FilePayload
                    {
                        Name = p.Name,
                        MimeType = "image/jpeg",
                        Buffer = p.Bytes,
                    })
            );
        await Page.Locator("[data-index='1']").WaitForAsync();
        await Page.ArriveAsync($"**/?check={Canned.CheckId}");
        Assert.Single(Api.Requests, r => r is { Method: "POST", Path: "/v1/checks", Body: "(form)" });
    }

    [Fact]
    public async Task What_holds_no_picture_is_refused_with_what_would_do_and_nothing_is_sent()
    {
        await visit.OpenAsync("/");
        await visit.DropAsync(("notes.txt", [1, 2, 3]));
        await Page.GetByRole(AriaRole.Alert).GetByText("That holds no picture.").WaitForAsync();
        Assert.DoesNotContain(Api.Requests, r => r.Path == "/v1/checks");
    }

    [Fact]
    public async Task A_caption_is_saved_as_typed_when_it_is_left_and_a_reload_shows_it()
    {
        var picture = Canned.Picture(0, "ready");
        var report = Canned.Report(12, 12);
        string? tag = null;
        Api.On("PATCH", $"{Check}/pictures/0", http =>
        {
            tag = http.Request.Headers.IfMatch;
            picture["caption"] = JsonNode.Parse((string)http.Items["body"]!)!["caption"]!.ToString();
            picture["caption_source"] = "edited";
            report["pictures"]![0] = picture.DeepClone();
            return FakeApi.JsonAsync(http, picture);
        });
        Api.On("GET", $"{Check}/report", http => FakeApi.JsonAsync(http, report));
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        var caption = Page.GetByLabel("Caption of picture 1", new() { Exact = true });

        await caption.FillAsync($"TOK {Canned.Hostile}");
        await caption.PressAsync("Control+Enter");
        await Page.Locator("[data-index='0']").GetByText("Saved.").WaitForAsync();
        await Page.ReloadAsync();

        await Assertions.Expect(caption).ToHaveValueAsync($"TOK {Canned.Hostile}");
        await Page.Locator("[data-index='0']").GetByText("written by you").WaitForAsync();
        Assert.Equal("\"e0\"", tag);
    }

    [Fact]
    public async Task Of_two_tabs_that_edit_one_caption_the_second_is_told_and_may_save_over_it()
    {
        var report = Canned.Report(12, 12);
        var answer = 412;
        Api.On("PATCH", $"{Check}/pictures/0", http =>
        {
            if (answer == 412)
            {
                answer = 200;
                report["pictures"]![0]!["caption"] = "theirs";
                report["pictures"]![0]!["etag"] = "\"e0-2\"";
                return FakeApi.JsonAsync(http, new JsonObject { ["status"] = 412, ["detail"] = "It was changed meanwhile." }, 412);
            }
            Assert.Equal("\"e0-2\"", http.Request.Headers.IfMatch);
            report["pictures"]![0]!["caption"] = "mine";
            return FakeApi.JsonAsync(http, report["pictures"]![0]!);
        });
        Api.On("GET", $"{Check}/report", http => FakeApi.JsonAsync(http, report));
        visit.Expected.Add(412);
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        var caption = Page.GetByLabel("Caption of picture 1", new() { Exact = true });

        await caption.FillAsync("mine");
        await caption.BlurAsync();
        await Assertions.Expect(caption).ToHaveValueAsync("theirs");
        await Page.GetByRole(AriaRole.Alert).GetByText("mine", new() { Exact = true }).WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Save mine over it" }).ClickAsync();

        await Assertions.Expect(caption).ToHaveValueAsync("mine");
    }

    [Fact]
    public async Task A_picture_is_left_out_and_taken_back_and_its_square_is_moved_by_arrow_keys()
    {
        var report = Canned.Report(12, 12);
        Api.On("GET", $"{Check}/report", http => FakeApi.JsonAsync(http, report));
        foreach (var index in new[] { 0, 1, 2 })
        {
            Api.On("PATCH", $"{Check}/pictures/{index}", http =>
            {
                foreach (var (name, value) in JsonNode.Parse((string)http.Items["body"]!)!.AsObject())
                    report["pictures"]![index]![name] = value!.DeepClone();
                return FakeApi.JsonAsync(http, report["pictures"]![index]!);
            });
        }
        await visit.OpenAsync($"/?check={Canned.CheckId}");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Leave out cat 01.jpg" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Undo: use cat 01.jpg again" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Leave out cat 01.jpg" }).WaitForAsync();
        var moved = new[] { 1, 2 }
            .Select(i =>
                Page.WaitForRequestAsync(request => request.Method == "PATCH" && request.Url.EndsWith($"/{i}", StringComparison.Ordinal))
            )
            .ToList();
        foreach (var picture in new[] { 2, 3 }) // at once: the one does not keep the other from being saved
            await Page.GetByRole(AriaRole.Group, new() { Name = $"Square of cat 0{picture}.jpg" }).PressAsync("ArrowRight");

        foreach (var request in await Task.WhenAll(moved))
            Assert.Equal(195, JsonNode.Parse(request.PostData!)!["crop"]!["x"]!.GetValue<int>());
        Assert.Equal(
            ["True", "False"],
            Api.Sent("PATCH", $"{Check}/pictures/0").Select(body => body["removed"]!.GetValue<bool>().ToString())
        );
    }

    /// <summary>A report that was asked for before a change was saved, and comes after it, says what was before.</summary>
    [Fact]
    public async Task What_was_saved_is_not_undone_by_an_answer_that_is_older()
    {
        var (hold, held) = (new TaskCompletionSource(), new TaskCompletionSource());
        var asked = 0;
        Api.On("GET", $"{Check}/report", async http =>
        {
            if (++asked == 2)
            {
                held.SetResult();
                await hold.Task;
            }
            await FakeApi.JsonAsync(http, Canned.Report(12, 12));
        });
        Api.On("PATCH", $"{Check}/pictures/0", http =>
        {
            var picture = Canned.Picture(0, "ready");
            picture["removed"] = true;
            return FakeApi.JsonAsync(http, picture);
        });
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        await held.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Leave out cat 01.jpg" }).ClickAsync();
        var undo = Page.GetByRole(AriaRole.Button, new() { Name = "Undo: use cat 01.jpg again" });
        await undo.WaitForAsync();

        await Page.RunAndWaitForResponseAsync(() => Task.FromResult(hold.TrySetResult()), "**/report");

        await Assertions.Expect(undo).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_mask_is_painted_by_keys_taken_back_and_sent()
    {
        Api.On("PATCH", $"{Check}/pictures/0", http => FakeApi.JsonAsync(http, Canned.Picture(0, "ready")));
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Mask … of cat 01.jpg" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Nothing counts" }).ClickAsync();
        var canvas = Page.GetByLabel("Mask over the picture");
        await canvas.PressAsync("Space");
        Assert.Equal("255 0", await PixelsAsync());
        await Page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        Assert.Equal("0 0", await PixelsAsync());
        await canvas.PressAsync("Space");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Save the mask" }).ClickAsync();
        await Page.Locator("[data-index='0']").GetByText("Saved.").WaitForAsync();
        Assert.StartsWith(
            "data:image/png;base64,",
            Assert.Single(Api.Sent("PATCH", $"{Check}/pictures/0"))["mask"]!.ToString(),
            StringComparison.Ordinal
        );

        Task<string> PixelsAsync() => canvas.EvaluateAsync<string>(
            "c => [[c.width / 2, c.height / 2], [3, 3]].map(([x, y]) => c.getContext('2d').getImageData(x, y, 1, 1).data[0]).join(' ')");
    }

    [Fact]
    public async Task Another_kind_after_the_drop_sends_the_pictures_again_with_its_settings_and_what_was_mended()
    {
        Api.On("PATCH", $"{Check}/pictures/0", http => FakeApi.JsonAsync(http, Canned.Picture(0, "ready")));
        await visit.OpenAsync("/");
        await visit.DropAsync(StatesTests.Pictures(3));
        await Page.Locator(".verdict").WaitForAsync();
        await Page.GetByLabel("Caption of picture 1", new() { Exact = true }).FillAsync("mine");
        await Page.GetByLabel("Caption of picture 1", new() { Exact = true }).BlurAsync();
        await Page.Locator("[data-index='0']").GetByText("Saved.").WaitForAsync();
        await Page.RunAndWaitForRequestAsync(
            () => Page.GetByRole(AriaRole.Radio, new() { Name = "Style" }).CheckAsync(),
            request => request.Method == "PATCH"
        );
        Assert.Equal(2, Api.Requests.Count(r => r.Path == "/v1/checks"));
    }

    [Fact]
    public async Task Only_settings_that_differ_are_shown_and_sent_and_a_refusal_stands_beside_its_field()
    {
        Api.Fails(
            "POST",
            "/v1/trainings",
            422,
            "Input 'lora_rank' is 9999; it must be 1 to 512.",
            [new JsonObject { ["field"] = "lora_rank", ["detail"] = "It must be 1 to 512." }]
        );
        visit.Expected.Add(422);
        await visit.OpenAsync($"/?check={Canned.CheckId}");
        await Page.GetByText("All settings (5)").ClickAsync(); // without those that shaped the pictures
        await Page.GetByLabel("Find a setting").FillAsync("rank");
        await Page.GetByLabel("Lora rank").FillAsync("9999");
        await Page.GetByLabel("Lora rank").BlurAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Lora rank: 9999" }).WaitForAsync();
        await Page.GetByLabel("Name of the model").FillAsync("cat");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.GetByText("It must be 1 to 512.", new() { Exact = true }).WaitForAsync();
        await Assertions.Expect(Page.GetByRole(AriaRole.Spinbutton, new() { Name = "Lora rank" })).ToHaveValueAsync("9999");
        Assert.Equal(9999, Assert.Single(Api.Sent("POST", "/v1/trainings"))["input"]!["lora_rank"]!.GetValue<int>());
    }

    /// <summary>A training that goes on has its pictures ready, too: nothing waits for its end.</summary>
    [Theory]
    [InlineData("processing")]
    [InlineData("succeeded")]
    [InlineData("failed")]
    public async Task A_training_is_begun_again_with_its_pictures_and_its_inputs_to_change(string status)
    {
        Canned.Put(Api, Canned.Training(status == "succeeded" ? "done" : "train", status, 340));
        await visit.OpenAsync($"/?again={Canned.TrainingId}");
        await Page.Locator(".verdict").WaitForAsync();
        await Assertions.Expect(Page.GetByLabel("Name of the model")).ToHaveValueAsync("cat");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var sent = Assert.Single(Api.Sent("POST", "/v1/trainings"));
        Assert.Equal((Canned.TrainingId, 42), (sent["check"]!.ToString(), sent["input"]!["seed"]!.GetValue<int>()));
    }

    [Fact]
    public async Task What_was_set_for_a_training_and_is_taken_back_for_the_next_is_sent_as_its_default()
    {
        var training = Canned.Training("done", "succeeded", 1000);
        (training["input"]!["lora_rank"], training["input"]!["caption_prefix"]) = (16, "a picture of TOK");
        Canned.Put(Api, training);
        await visit.OpenAsync($"/?again={Canned.TrainingId}");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Lora rank: 16" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Seed: 42" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var input = Assert.Single(Api.Sent("POST", "/v1/trainings"))["input"]!.AsObject();
        Assert.Equal((32, true, null), (input["lora_rank"]!.GetValue<int>(), input.ContainsKey("seed"), input["seed"]));
        Assert.False(input.ContainsKey("caption_prefix"), "what shaped the pictures stays as they were made");
    }

    [Fact]
    public async Task Other_pictures_in_place_of_a_running_trainings_leave_that_one_running()
    {
        await visit.OpenAsync($"/?again={Canned.TrainingId}");
        await Page.Locator(".verdict").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start over with other pictures" }).ClickAsync();
        await visit.DropAsync(StatesTests.Pictures(2));
        await Page.ArriveAsync($"**/?check={Canned.CheckId}");
        Assert.DoesNotContain(Api.Requests, r => r.Path.EndsWith("/cancel", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_training_whose_pictures_are_gone_gives_its_settings_to_those_that_are_dropped()
    {
        var training = Canned.Training("done", "succeeded", 1000);
        training["data_removed"] = true;
        training["input"]!["lora_rank"] = 16;
        Canned.Put(Api, training);
        Api.Lacks("GET", $"/v1/trainings/{Canned.TrainingId}/report");
        visit.Expected.Add(404);
        await visit.OpenAsync($"/?again={Canned.TrainingId}");
        await Page.GetByRole(AriaRole.Alert).GetByText("The pictures of that training were deleted").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Lora rank: 16" }).WaitForAsync();

        await visit.DropAsync(StatesTests.Pictures(2));
        await Page.Locator(".verdict").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var sent = Assert.Single(Api.Sent("POST", "/v1/trainings"));
        Assert.Equal((Canned.CheckId, 16), (sent["check"]!.ToString(), sent["input"]!["lora_rank"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData($"/?from=me/cat:{Canned.Version}")]
    [InlineData("/?from=me/cat")]
    public async Task A_version_is_trained_further_on_other_pictures_with_its_own_word_and_settings(string address)
    {
        await visit.OpenAsync(address);
        await Page.GetByText("Trains further: begins with the weights of me/cat:01234567.").WaitForAsync();
        await visit.DropAsync(StatesTests.Pictures(2));
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();

        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        var sent = Assert.Single(Api.Sent("POST", "/v1/trainings"));
        Assert.Equal(
            (Canned.CheckId, $"me/cat:{Canned.Version}", "sdxl", "cat", "TOK", 16, 800),
            (
                sent["check"]!.ToString(),
                sent["from"]!.ToString(),
                sent["base"]!.ToString(),
                sent["name"]!.ToString(),
                sent["input"]!["token_string"]!.ToString(),
                sent["input"]!["lora_rank"]!.GetValue<int>(),
                sent["input"]!["max_train_steps"]!.GetValue<int>()
            )
        );
    }

    [Fact]
    public async Task Training_further_is_left_with_one_click()
    {
        Canned.Put(Api, Canned.Training("done", "succeeded", 1000));
        await visit.OpenAsync($"/?again={Canned.TrainingId}&from=me/cat:{Canned.Version}");
        await Page.Locator(".verdict").WaitForAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Begin anew instead" }).ClickAsync();
        await Page.ArriveAsync($"**/?again={Canned.TrainingId}");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
        Assert.False(Assert.Single(Api.Sent("POST", "/v1/trainings")).AsObject().ContainsKey("from"));
    }

    [Fact]
    public async Task A_reload_amid_the_upload_is_asked_about_and_one_that_is_meant_leaves_an_empty_page()
    {
        await UploadAsync();
        var asked = new List<string>();
        Page.Dialog += async (_, dialog) =>
        {
            asked.Add(dialog.Type);
            await (asked.Count == 1 ? dialog.DismissAsync() : dialog.AcceptAsync());
        };

        await Page.EvaluateAsync("() => location.reload()"); // no, after all
        await Page.GetByText("Uploading").WaitForAsync();
        await Page.ReloadAsync();

        await Page.GetByText("Drop pictures, folders or a zip anywhere").WaitForAsync();
        Assert.Equal(["beforeunload", "beforeunload"], asked);
    }

    [Fact]
    public async Task An_upload_is_cancelled_and_its_request_ends()
    {
        var ended = await UploadAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the upload" }).ClickAsync();
        await ended.WaitAsync(TimeSpan.FromSeconds(10));
        await Page.GetByText("Drop pictures, folders or a zip anywhere").WaitForAsync();
        await Page.ReloadAsync(); // nothing is in flight: nothing is asked
        await Page.GetByText("Drop pictures, folders or a zip anywhere").WaitForAsync();
    }

    [Fact]
    public async Task An_upload_that_found_no_host_is_sent_again_by_the_button_and_starts_by_itself()
    {
        await Page.RouteAsync("**/v1/checks", route => route.AbortAsync());
        visit.ExpectsSilence = true;
        await visit.OpenAsync("/");
        await visit.DropAsync(StatesTests.Pictures(2));
        await Page.GetByRole(AriaRole.Alert).GetByText("The service cannot be reached.").WaitForAsync();
        await Page.UnrouteAsync("**/v1/checks");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Start training" }).ClickAsync();
        await Page.ArriveAsync($"**/trainings/{Canned.TrainingId}");
    }

    /// <summary>An upload that does not come to its end.</summary>
    /// <returns>Is there when the request is given up.</returns>
    private async Task<Task> UploadAsync()
    {
        var ended = new TaskCompletionSource();
        Api.On("POST", "/v1/checks", async http =>
        {
            await using var registration = http.RequestAborted.Register(ended.SetResult);
            await ended.Task;
        });
        visit.ExpectsSilence = true;
        await visit.OpenAsync("/");
        await visit.DropAsync(StatesTests.Pictures(2));
        await Page.GetByText("Uploading").WaitForAsync();
        return ended.Task;
    }

    [Fact]
    public async Task Without_a_session_the_sign_in_page_comes_and_leads_back_here()
    {
        var signedIn = false;
        Func<HttpContext, Task> list = http =>
            signedIn
                ? FakeApi.JsonAsync(http, Canned.Page())
                : FakeApi.JsonAsync(http, new JsonObject { ["status"] = 401, ["detail"] = "No token." }, 401);
        Api.On("GET", "/v1/trainings", list);
        Api.On("POST", "/v1/session", http =>
        {
            signedIn = true;
            return FakeApi.JsonAsync(http, new JsonObject { ["username"] = "me" }, 201);
        });
        visit.Expected.Add(401);
        await Page.GotoAsync("/trainings");
        await Page.ArriveAsync("**/sign-in?return=%2Ftrainings");

        await Page.GetByLabel("API token").FillAsync("sdxl_secret");
        await Page.GetByLabel("API token").PressAsync("Enter");

        await Page.ArriveAsync("**/trainings");
        await Page.GetByText("No training yet.").WaitForAsync();
        Assert.Equal("sdxl_secret", Assert.Single(Api.Sent("POST", "/v1/session"))["token"]!.ToString());
        Assert.Equal("0", await Page.EvaluateAsync<string>("() => String(localStorage.length + sessionStorage.length)"));
    }

    [Fact]
    public async Task A_sign_in_link_leads_nowhere_but_to_this_site()
    {
        await visit.OpenAsync("/sign-in?return=%2F%2Fevil.example%2F#code=abc");
        await Page.ArriveAsync(new Uri(Api.Address, "/").ToString());
        Assert.Equal("abc", Assert.Single(Api.Sent("POST", "/v1/session"))["code"]!.ToString());
    }
}
