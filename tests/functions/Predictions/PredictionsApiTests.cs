using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;

namespace Sdxl.Tests.Functions.Predictions;

/// <summary>
/// Predictions over HTTP as Replicate's clients ask for them (replicate-api.md, 6). The worker's part is played by the tests.
/// </summary>
[Collection(ProductCollection.Name)]
public sealed class PredictionsApiTests(ProductFixture product)
{
    private static readonly byte[] s_picture = [1, 2, 3];

    [Fact]
    public async Task A_POST_answers_201_with_replicates_fields_and_the_workers_message_is_sent()
    {
        using var answer = await PostAsync(Body(("prompt", "a cat"), ("seed", "7"), ("width", 512)));
        var prediction = await JsonAsync(answer);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var id = prediction["id"]!.ToString();
        Assert.Equal($"{product.Http.BaseAddress}v1/predictions/{id}", answer.Headers.Location!.ToString());
        Assert.Equal("""{"prompt":"a cat","seed":7,"width":512}""", prediction["input"]!.ToJsonString());
        Assert.Equal(
            ("starting", null, null, "", "{}", "api", false, null, null, "toy", "stability-ai/sdxl"),
            (prediction["status"]!.ToString(), prediction["output"], prediction["error"], prediction["logs"]!.ToString(),
                prediction["metrics"]!.ToJsonString(), prediction["source"]!.ToString(), prediction["data_removed"]!.GetValue<bool>(),
                prediction["started_at"], prediction["completed_at"], prediction["base"]!.ToString(), prediction["model"]!.ToString()));
        Assert.Matches("^[0-9a-f]{64}$", prediction["version"]!.ToString());
        Assert.Equal(["get", "cancel", "web", "events"], prediction["urls"]!.AsObject().Select(url => url.Key));
        var job = await product.PeekAsync(
            Queues.Predictions,
            body => SdxlJson.Deserialize<PredictionJob>(body) is var sent && sent.Prediction.Id == id ? sent : null
        );
        Assert.Equal(("a cat", 7L, 512, 128), (job.Inputs.Prompt, job.Inputs.Seed, job.Inputs.Width, job.Inputs.Height));
    }

    [Fact]
    public async Task Status_output_logs_and_progress_follow_the_worker()
    {
        var id = await CreatedAsync(Body(("num_outputs", 2)));
        await DrawingAsync(
            id,
            new DrawingState(
                DateTimeOffset.UtcNow,
                "cpu",
                12,
                50,
                2.5,
                15.2,
                [],
                "Using seed: 7\n 24%|##        | 12/50 [00:04<00:15, 2.50it/s]\n"
            )
        );
        await SendAsync(new DrawingStarted(Key(id), 1, DateTimeOffset.UtcNow, "cpu"));
        var begun = await UntilAsync(id, p => p["status"]!.ToString() == "processing");
        Assert.Equal(
            """{"step":12,"total_steps":50,"steps_per_second":2.5,"seconds_left":15.2,"device":"cpu"}""",
            begun["progress"]!.ToJsonString()
        );
        Assert.Contains(" 24%|##", begun["logs"]!.ToString(), StringComparison.Ordinal);
        Assert.Null(begun["output"]);
        Assert.NotNull(begun["started_at"]);

        await StoreAsync(id, "out-0.png");
        await SendAsync(new PictureDrawn(Key(id), 1, DateTimeOffset.UtcNow, [new("out-0.png", 7, false)]));
        var half = await UntilAsync(id, p => p["output"] is not null);
        Assert.Equal("processing", half["status"]!.ToString());
        var link = Assert.Single(half["output"]!.AsArray())!.ToString();
        Assert.StartsWith($"{product.Http.BaseAddress}v1/outputs/predictions/me/{id}/out-0.png?", link, StringComparison.Ordinal);
        using var nobody = product.With(null); // as Replicate's clients fetch it
        Assert.Equal(s_picture, await nobody.GetByteArrayAsync(link));

        await StoreAsync(id, "out-1.png");
        await SendAsync(Completed(id, new("out-0.png", 7, false), new("out-1.png", 8, false)));
        var done = await UntilAsync(id, p => p["status"]!.ToString() == "succeeded");
        Assert.Equal(
            (2, 1.5, null),
            (done["output"]!.AsArray().Count, done["metrics"]!["predict_time"]!.GetValue<double>(), done["progress"])
        );
        Assert.True(done["metrics"]!["total_time"]!.GetValue<double>() > 0);
        Assert.NotNull(done["completed_at"]);
        Assert.Contains("Using seed: 7", done["logs"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flagged_picture_is_left_out_and_the_others_keep_their_numbers_and_if_all_are_it_failed()
    {
        var one = await CreatedAsync(Body(("num_outputs", 2)));
        await SendAsync(Completed(one, new("out-0.png", 7, true), new("out-1.png", 8, false, "out-1.webp")));
        var left = await UntilAsync(one, p => p["status"]!.ToString() == "succeeded");
        Assert.Contains("/out-1.png?", Assert.Single(left["output"]!.AsArray())!.ToString(), StringComparison.Ordinal);
        Assert.Contains("/out-1.webp?", Assert.Single(left["thumbnails"]!.AsArray())!.ToString(), StringComparison.Ordinal);
        Assert.Equal("[8]", left["seeds"]!.ToJsonString());
        Assert.Equal(
            "The safety checker left out 1 of 2 pictures: out-0.png (seed 7).",
            Assert.Single(left["warnings"]!.AsArray())!.ToString()
        );

        var all = await CreatedAsync(Body());
        await SendAsync(Completed(all, new DrawnPicture("out-0.png", 7, true)));
        var failed = await UntilAsync(all, p => p["status"]!.ToString() == "failed");
        Assert.Equal(
            (null, "The safety checker objects to every picture. Try another prompt or seed."),
            (failed["output"], failed["error"]!.ToString())
        );
    }

    [Fact]
    public async Task Who_prefers_to_wait_gets_the_end_with_the_pictures_as_data_on_plain_http()
    {
        var waiting = PostAsync(Body(("prompt", "waited for")), "wait");
        var job = await product.PeekAsync(
            Queues.Predictions,
            body => SdxlJson.Deserialize<PredictionJob>(body) is var sent && sent.Inputs.Prompt == "waited for" ? sent : null
        );
        await StoreAsync(job.Prediction.Id, "out-0.png");
        await SendAsync(Completed(job.Prediction.Id, new DrawnPicture("out-0.png", 7, false)));

        using var answer = await waiting;
        var prediction = await JsonAsync(answer);
        Assert.Equal((HttpStatusCode.Created, "succeeded"), (answer.StatusCode, prediction["status"]!.ToString()));
        Assert.Equal("data:image/png;base64,AQID", Assert.Single(prediction["output"]!.AsArray())!.ToString());
        Assert.StartsWith("http:", (await GetAsync(job.Prediction.Id))["output"]![0]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_that_ends_before_the_drawing_says_starting_though_it_has_begun()
    {
        var waiting = PostAsync(Body(("prompt", "too slow")), "wait=1");
        var job = await product.PeekAsync(
            Queues.Predictions,
            body => SdxlJson.Deserialize<PredictionJob>(body) is var sent && sent.Inputs.Prompt == "too slow" ? sent : null
        );
        await SendAsync(new DrawingStarted(job.Prediction, 1, DateTimeOffset.UtcNow, "cpu"));

        using var answer = await waiting;
        var prediction = await JsonAsync(answer);
        Assert.Equal(
            (HttpStatusCode.Accepted, "starting", null),
            (answer.StatusCode, prediction["status"]!.ToString(), prediction["output"])
        );
        await UntilAsync(job.Prediction.Id, p => p["status"]!.ToString() == "processing");
    }

    [Fact]
    public async Task A_waiting_caller_who_leaves_cancels_what_nobody_has_the_id_of()
    {
        using var leaving = new CancellationTokenSource();
        var waiting = PostAsync(Body(("prompt", "left alone")), "wait", leaving.Token);
        var job = await product.PeekAsync(
            Queues.Predictions,
            body => SdxlJson.Deserialize<PredictionJob>(body) is var sent && sent.Inputs.Prompt == "left alone" ? sent : null
        );
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await UntilAsync(job.Prediction.Id, p => p["status"]!.ToString() == "canceled");
    }

    [Fact]
    public async Task With_an_idempotency_key_a_repetition_is_answered_with_the_same_prediction()
    {
        var key = Guid.NewGuid().ToString();
        var (first, second, other) = (await KeyedAsync(key), await KeyedAsync(key), await KeyedAsync(key + "x"));
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);

        async Task<string> KeyedAsync(string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/predictions")
            {
                Content = new StringContent(Body().ToJsonString(), Encoding.UTF8, "application/json"),
            };
            request.Headers.Add("Idempotency-Key", name);
            using var answer = await product.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            return (await JsonAsync(answer))["id"]!.ToString();
        }
    }

    [Fact]
    public async Task A_cancel_ends_it_at_once_and_stays_whatever_the_worker_says_afterwards()
    {
        var id = await CreatedAsync(Body());
        using var answer = await product.Http.PostAsync($"v1/predictions/{id}/cancel", null);
        var canceled = await JsonAsync(answer);
        Assert.Equal(
            (HttpStatusCode.OK, "canceled", "", null),
            (answer.StatusCode, canceled["status"]!.ToString(), canceled["logs"]!.ToString(), canceled["error"])
        );
        Assert.NotNull(canceled["completed_at"]);
        Assert.True(
            await product.Storage.GetBlobContainerClient(StorageLayout.Jobs).GetBlobClient(StorageLayout.CancelMark(Key(id))).ExistsAsync()
        );

        await SendAsync(Completed(id, new DrawnPicture("out-0.png", 7, false)));
        using var again = await product.Http.PostAsync($"v1/predictions/{id}/cancel", null);
        Assert.Equal(canceled.ToJsonString(), (await JsonAsync(again)).ToJsonString());
        using var nobody = await product.Http.PostAsync($"v1/predictions/{JobId.New()}/cancel", null);
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    [Fact]
    public async Task A_deleted_one_is_gone_with_its_pictures()
    {
        var id = await CreatedAsync(Body());
        await StoreAsync(id, "out-0.png");
        using var answer = await product.Http.DeleteAsync($"v1/predictions/{id}");
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync($"v1/predictions/{id}")).StatusCode);
        Assert.False(
            await product
                .Storage.GetBlobContainerClient(StorageLayout.Predictions)
                .GetBlobClient(StorageLayout.Drawn(Key(id), "out-0.png"))
                .ExistsAsync()
        );
        Assert.DoesNotContain((await GetJsonAsync("v1/predictions"))["results"]!.AsArray(), p => p!["id"]!.ToString() == id);
        await SendAsync(Completed(id, new DrawnPicture("out-0.png", 7, false))); // the worker had not heard of it
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.DeleteAsync($"v1/predictions/{id}")).StatusCode);
    }

    [Fact]
    public async Task The_list_is_newest_first_and_its_next_page_goes_on()
    {
        var ids = new List<string>();
        for (var i = 0; i < 103; i++)
            ids.Insert(0, await CreatedAsync(Body()));

        var first = await GetJsonAsync("v1/predictions");
        Assert.Equal(ids.Take(100), first["results"]!.AsArray().Select(p => p!["id"]!.ToString()));
        var second = await GetJsonAsync(first["next"]!.ToString());
        Assert.Equal(ids.Skip(100), second["results"]!.AsArray().Take(3).Select(p => p!["id"]!.ToString()));
    }

    [Fact]
    public async Task Unknown_inputs_are_passed_over_said_and_not_kept()
    {
        using var answer = await PostAsync(Body(("auth", "r8_secret"), ("promt", "a dog"), ("prompt", "a cat")));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Equal(
            [
                "There is no input called 'auth'; it was passed over.",
                "There is no input called 'promt'; it was passed over. Did you mean 'prompt'?",
            ],
            JsonNode.Parse(text)!["warnings"]!.AsArray().Select(warning => warning!.ToString())
        );
    }

    [Fact]
    public async Task A_stream_is_offered_to_those_who_ask_for_it_and_to_replicates_javascript_client_only()
    {
        var asking = Body();
        asking["stream"] = true;
        Assert.NotNull((await JsonAsync(await PostAsync(asking)))["urls"]!["stream"]);
        Assert.NotNull((await JsonAsync(await PostAsync(Body(), agent: "replicate-javascript/1.4.0")))["urls"]!["stream"]);
        Assert.Null((await JsonAsync(await PostAsync(Body(), agent: "replicate-cli/0.8.0")))["urls"]!["stream"]);
    }

    [Theory]
    [InlineData("ftp://example.com/", null, "webhook", "'webhook' is no http or https address without user name and password.")]
    [InlineData(
        "https://example.com/",
        "finished",
        "webhook_events_filter",
        "'webhook_events_filter' has 'finished'; it is a list of start, output, logs, completed."
    )]
    public async Task A_webhook_that_cannot_be_is_refused(string url, string? filter, string field, string sentence)
    {
        var body = Body();
        body["webhook"] = url;
        if (filter is not null)
            body["webhook_events_filter"] = new JsonArray(filter);
        using var answer = await PostAsync(body);
        var problem = await JsonAsync(answer);
        Assert.Equal(
            (HttpStatusCode.UnprocessableEntity, sentence, field),
            (answer.StatusCode, problem["detail"]!.ToString(), problem["invalid_fields"]![0]!["field"]!.ToString())
        );
    }

    [Fact]
    public async Task A_model_without_a_version_is_404_and_an_unknown_version_422()
    {
        using var model = await product.PostAsync("v1/models/me/nothing-here/predictions", Body());
        Assert.Equal(HttpStatusCode.NotFound, model.StatusCode);
        var body = Body();
        body["version"] = new string('a', 64);
        using var version = await PostAsync(body);
        Assert.Equal(
            (HttpStatusCode.UnprocessableEntity, "Invalid version or not permitted"),
            (version.StatusCode, (await JsonAsync(version))["title"]!.ToString())
        );
    }

    [Fact]
    public async Task One_that_no_worker_has_drawn_in_time_fails_and_the_workers_stored_result_counts_more()
    {
        var lost = await CreatedAsync(Body());
        await SendDueAsync(lost);
        Assert.StartsWith(
            "No GPU worker has drawn this within 24 hours.",
            (await UntilAsync(lost, p => p["status"]!.ToString() == "failed"))["error"]!.ToString(),
            StringComparison.Ordinal
        );

        var drawn = await CreatedAsync(Body());
        await product.Storage.GetBlobContainerClient(StorageLayout.Predictions).GetBlobClient(StorageLayout.DrawnResult(Key(drawn)))
            .UploadAsync(BinaryData.FromString(SdxlJson.Serialize<WorkerEvent>(Completed(drawn, new DrawnPicture("out-0.png", 7, false)))));
        await SendDueAsync(drawn);
        await UntilAsync(drawn, p => p["status"]!.ToString() == "succeeded");
    }

    private async Task SendDueAsync(string id)
    {
        await using var sender = product.ServiceBus.CreateSender(Queues.Events);
        await sender.SendMessageAsync(
            new ServiceBusMessage(SdxlJson.Serialize<EventMessage>(new PredictionDue(Key(id)))) { MessageId = $"now/{id}" }
        );
    }

    private static JobKey Key(string id) => new("me", id);

    private static PredictionCompleted Completed(string id, params DrawnPicture[] pictures) =>
        new(Key(id), 1, DateTimeOffset.UtcNow, pictures, 1.5);

    private static JsonObject Body(params (string Name, JsonNode Value)[] inputs)
    {
        var body = new JsonObject { ["base"] = "toy", ["input"] = new JsonObject() };
        foreach (var (name, value) in inputs)
            body["input"]![name] = value;
        return body;
    }

    private async Task<HttpResponseMessage> PostAsync(
        JsonObject body,
        string? prefer = null,
        CancellationToken cancel = default,
        string? agent = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/predictions")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        if (prefer is not null)
            request.Headers.Add("Prefer", prefer);
        if (agent is not null)
            request.Headers.Add("User-Agent", agent);
        return await product.Http.SendAsync(request, cancel);
    }

    private async Task<string> CreatedAsync(JsonObject body)
    {
        using var answer = await PostAsync(body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        return JsonNode.Parse(text)!["id"]!.ToString();
    }

    private Task StoreAsync(string id, string file) =>
        product
            .Storage.GetBlobContainerClient(StorageLayout.Predictions)
            .GetBlobClient(StorageLayout.Drawn(Key(id), file))
            .UploadAsync(new BinaryData(s_picture), overwrite: true);

    private Task DrawingAsync(string id, DrawingState state) =>
        product
            .Storage.GetBlobContainerClient(StorageLayout.Jobs)
            .GetBlobClient(StorageLayout.Drawing(Key(id)))
            .UploadAsync(BinaryData.FromString(SdxlJson.Serialize(state)), overwrite: true);

    private async Task SendAsync(WorkerEvent happened)
    {
        await using var sender = product.ServiceBus.CreateSender(Queues.WorkerEvents);
        await sender.SendMessageAsync(new ServiceBusMessage(SdxlJson.Serialize(happened)));
    }

    private Task<JsonNode> GetAsync(string id) => GetJsonAsync($"v1/predictions/{id}");

    private async Task<JsonNode> GetJsonAsync(string address) => JsonNode.Parse(await product.Http.GetStringAsync(address))!;

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) => JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;

    private async Task<JsonNode> UntilAsync(string id, Func<JsonNode, bool> reached)
    {
        for (var waited = 0; waited < 600; waited++)
        {
            if (await GetAsync(id) is var prediction && reached(prediction))
                return prediction;
            await Task.Delay(50);
        }
        throw new TimeoutException($"Prediction {id} did not get there within 30 s: {await GetAsync(id)}");
    }
}
