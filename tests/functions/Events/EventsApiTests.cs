using System.Net;
using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;

namespace Sdxl.Tests.Functions.Events;

/// <summary>Webhooks, subscriptions and server-sent events of the whole app. The worker's part is played by the tests.</summary>
[Collection(ProductCollection.Name)]
public sealed class EventsApiTests(ProductFixture product)
{
    [Fact]
    public async Task A_subscription_is_tried_with_a_signed_test_event_listed_and_removed()
    {
        await using var hooks = await HookServer.StartAsync();
        await using var other = await product.StartWithAsync(("Sdxl__TrustedHosts", hooks.Host));
        using var made = await ProductFixture.PostAsync(
            other.Http,
            "v1/subscriptions",
            new JsonObject { ["url"] = hooks.Url, ["types"] = new JsonArray("prediction.completed") }
        );
        var subscription = await JsonAsync(made);
        Assert.Equal(
            (HttpStatusCode.Created, hooks.Url, "[\"prediction.completed\"]"),
            (made.StatusCode, subscription["url"]!.ToString(), subscription["types"]!.ToJsonString())
        );
        try
        {
            using var test = await other.Http.PostAsync($"v1/subscriptions/{subscription["id"]}/test", null);
            Assert.True(test.IsSuccessStatusCode, await test.Content.ReadAsStringAsync());
            Assert.True(hooks.Taken.TryDequeue(out var tried));
            Assert.Equal("subscription.test", tried.Json["type"]!.ToString());
            var secret = JsonNode.Parse(await other.Http.GetStringAsync("v1/webhooks/default/secret"))!["key"]!.ToString();
            Assert.True(tried.IsSignedBy(secret));
            hooks.Status = 404;
            using var refused = await other.Http.PostAsync($"v1/subscriptions/{subscription["id"]}/test", null);
            var (status, detail) = await ProductFixture.ProblemAsync(refused);
            Assert.Equal(502, status);
            Assert.EndsWith("/hook' answers 404.", detail, StringComparison.Ordinal);
            Assert.DoesNotContain("token=secret", detail, StringComparison.Ordinal);
            Assert.Single(JsonNode.Parse(await other.Http.GetStringAsync("v1/subscriptions"))!["results"]!.AsArray());
        }
        finally
        {
            Assert.Equal(HttpStatusCode.NoContent, (await other.Http.DeleteAsync($"v1/subscriptions/{subscription["id"]}")).StatusCode);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await other.Http.GetAsync($"v1/subscriptions/{subscription["id"]}")).StatusCode);
    }

    [Theory]
    [InlineData("""{"url": "ftp://example.org/"}""", "'url' is no http or https address")]
    [InlineData("""{"url": "https://example.org/", "types": ["training.finished"]}""", "No event is of type 'training.finished'.")]
    [InlineData("""{"url": "https://example.org/", "types": "training.*"}""", "The body has 'url', and 'types' as a list of texts")]
    public async Task A_subscription_that_makes_no_sense_is_refused(string body, string reason)
    {
        var (status, detail) = await ProductFixture.ProblemAsync(
            await product.PostAsync("v1/subscriptions", JsonNode.Parse(body)!.AsObject())
        );
        Assert.Equal(422, status);
        Assert.StartsWith(reason, detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_stays_until_it_is_replaced()
    {
        var first = await product.Http.GetStringAsync("v1/webhooks/default/secret");
        Assert.Equal(first, await product.Http.GetStringAsync("v1/webhooks/default/secret"));
        using var next = await product.Http.PostAsync("v1/webhooks/default/secret", null);
        Assert.NotEqual(first, await next.Content.ReadAsStringAsync());
        Assert.Equal(await next.Content.ReadAsStringAsync(), await product.Http.GetStringAsync("v1/webhooks/default/secret"));
    }

    [Fact]
    public async Task Server_sent_events_tell_what_happens_and_go_on_after_the_last_that_was_had()
    {
        var id = await CreatedAsync(new JsonObject());
        var all = ReadAsync($"v1/predictions/{id}/events", null);
        await SendAsync(new DrawingStarted(Key(id), 1, DateTimeOffset.UtcNow, "cpu"));
        await product.UntilAsync($"v1/predictions/{id}", p => p["status"]!.ToString() == "processing");
        await SendAsync(new PredictionCompleted(Key(id), 1, DateTimeOffset.UtcNow, [new("out-0.png", 7, false)], 1));

        var events = await all;
        Assert.Equal(
            ["1 prediction.starting", "2 prediction.processing", "3 prediction.output", "4 prediction.completed", " done"],
            events.Where(e => e.Type != "progress").Select(e => $"{e.Id} {e.Type}"));
        Assert.Contains(events, e => e.Type == "progress" && JsonNode.Parse(e.Data)!["status"]!.ToString() == "processing");
        var last = JsonNode.Parse(events.Single(e => e.Id == "4").Data)!;
        Assert.Equal(
            ("1.0", $"{id}-0004", "succeeded"),
            (last["specversion"]!.ToString(), last["id"]!.ToString(), last["data"]!["status"]!.ToString())
        );

        Assert.Equal(
            ["4 prediction.completed", " done"],
            (await ReadAsync($"v1/predictions/{id}/events", "3")).Select(e => $"{e.Id} {e.Type}")
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v1/predictions/{id}/events")
        {
            Headers = { { "Last-Event-ID", "4" } },
        };
        using var over = await product.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, over.StatusCode); // a browser asks no more
    }

    [Fact]
    public async Task An_event_arrives_while_the_stream_goes_on()
    {
        var id = await CreatedAsync(new JsonObject());
        using var answer = await product
            .Http.GetAsync($"v1/predictions/{id}/events", HttpCompletionOption.ResponseHeadersRead)
            .WaitAsync(TimeSpan.FromSeconds(60));
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var lines = new List<string>();
        while (!lines.Contains("event: prediction.starting"))
            lines.Add((await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)))!);
        using var canceled = await product.Http.PostAsync($"v1/predictions/{id}/cancel", null); // it was not over yet
        Assert.Equal("canceled", (await JsonAsync(canceled))["status"]!.ToString());
    }

    [Fact]
    public async Task Replicates_stream_gives_each_picture_and_always_ends_with_done()
    {
        using var nobody = product.With(null); // no token is sent to it
        var body = new JsonObject { ["base"] = "toy", ["stream"] = true, ["input"] = new JsonObject { ["num_outputs"] = 2 } };
        using var answer = await product.PostAsync("v1/predictions", body);
        var prediction = await JsonAsync(answer);
        var (id, stream) = (prediction["id"]!.ToString(), prediction["urls"]!["stream"]!.ToString());
        Assert.StartsWith($"{product.Http.BaseAddress}v1/files/stream/", stream, StringComparison.Ordinal);
        var all = ReadAsync(stream, null, nobody);
        await SendAsync(new PictureDrawn(Key(id), 1, DateTimeOffset.UtcNow, [new("out-0.png", 7, false)]));
        await product.UntilAsync($"v1/predictions/{id}", p => p["output"] is not null);
        await SendAsync(
            new PredictionCompleted(Key(id), 1, DateTimeOffset.UtcNow, [new("out-0.png", 7, false), new("out-1.png", 8, false)], 1)
        );
        var events = await all;
        Assert.Equal(["1 output", "2 output", "3 done"], events.Select(e => $"{e.Id} {e.Type}"));
        Assert.Contains("/out-1.png?", events[1].Data, StringComparison.Ordinal);
        Assert.Equal("{}", events[2].Data);
        Assert.Equal(events, await ReadAsync(stream, null, nobody)); // who comes late gets all

        body["input"]!["num_outputs"] = 1;
        using var second = await product.PostAsync("v1/predictions", body);
        var failing = await JsonAsync(second);
        await SendAsync(new JobFailed(Key(failing["id"]!.ToString()), 1, DateTimeOffset.UtcNow, "It broke."));
        Assert.Equal(
            [("error", "It broke."), ("done", "{}")],
            (await ReadAsync(failing["urls"]!["stream"]!.ToString(), null, nobody)).Select(e => (e.Type, e.Data))
        );

        foreach (
            var wrong in new[]
            {
                stream[..^1] + "x",
                stream[..(stream.LastIndexOf('/') + 1)] + "me~x~y",
                stream[..(stream.LastIndexOf('/') + 1)] + $"_tokens~{id}~y",
            }
        )
        {
            using var refused = await nobody.GetAsync(wrong);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
    }

    private sealed record Sent(string Id, string Type, string Data);

    /// <summary>All events until the server ends the stream.</summary>
    private async Task<IReadOnlyList<Sent>> ReadAsync(string address, string? lastId, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (lastId is not null)
            request.Headers.Add("Last-Event-ID", lastId);
        using var answer = await (client ?? product.Http).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType!.ToString()));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("\r", text, StringComparison.Ordinal);
        return
        [
            .. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                .Where(block => block.Contains("event: ", StringComparison.Ordinal))
                .Select(block =>
                {
                    string Field(string name) =>
                        block
                            .Split('\n')
                            .FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.Ordinal))
                            ?[(name.Length + 2)..]
                        ?? "";
                    return new Sent(Field("id"), Field("event"), Field("data"));
                }),
        ];
    }

    private static JobKey Key(string id) => new("me", id);

    private async Task<string> CreatedAsync(JsonObject input)
    {
        using var answer = await product.PostAsync("v1/predictions", new JsonObject { ["base"] = "toy", ["input"] = input });
        return (await JsonAsync(answer))["id"]!.ToString();
    }

    private async Task SendAsync(WorkerEvent happened)
    {
        await using var sender = product.ServiceBus.CreateSender(Queues.WorkerEvents);
        await sender.SendMessageAsync(new ServiceBusMessage(SdxlJson.Serialize(happened)));
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) => JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
}
