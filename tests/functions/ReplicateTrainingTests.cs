using System.Net;
using System.Text.Json.Nodes;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Trainings;

namespace Sdxl.Tests.Functions;

/// <summary>Trainings as Replicate's clients start, read, list and cancel them. No worker is here: they wait for one.</summary>
[Collection(ProductCollection.Name)]
public sealed class ReplicateTrainingTests(ProductFixture product)
{
    private static readonly byte[] s_picture = File.ReadAllBytes(
        Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png")
    );
    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray()));

    [Fact]
    public async Task A_training_of_a_sent_file_is_there_before_its_answer_in_Replicates_shape()
    {
        var link = await SentAsync();
        await ModelAsync("shape");
        var answer = await TrainAsync(
            "me/shape",
            new JsonObject
            {
                ["input_images"] = link,
                ["max_train_steps"] = "7",
                ["is_lora"] = "True",
                ["token_string"] = 123,
            }
        );
        var made = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();

        Assert.True(answer.StatusCode == HttpStatusCode.Created, made.ToJsonString());
        Assert.Matches("^[a-z2-7]{26}$", made["id"]!.ToString());
        Assert.Equal(
            ("starting", "stability-ai/sdxl", "me/shape", ""),
            (made["status"]!.ToString(), made["model"]!.ToString(), made["destination"]!.ToString(), made["logs"]!.ToString())
        );
        Assert.Matches("^[0-9a-f]{64}$", made["version"]!.ToString());
        foreach (var unknown in new[] { "output", "error", "started_at", "completed_at" })
            Assert.True(made.ContainsKey(unknown) && made[unknown] is null, unknown);
        Assert.Equal("{}", made["metrics"]!.ToJsonString());
        Assert.Equal($"{product.Http.BaseAddress}v1/trainings/{made["id"]}", made["urls"]!["get"]!.ToString());
        Assert.Equal(made["urls"]!["get"]!.ToString(), answer.Headers.Location!.ToString());

        // The file may go: the training has it.
        await product.Http.DeleteAsync(link);
        var seen = await UntilAsync(
            made["id"]!.ToString(),
            t => t["logs"]!.ToString().EndsWith("Waiting for a GPU worker.\n", StringComparison.Ordinal)
        );
        Assert.Equal(
            ("processing", 7, "123", true),
            (
                seen["status"]!.ToString(),
                seen["input"]!["max_train_steps"]!.GetValue<int>(),
                seen["input"]!["token_string"]!.ToString(),
                seen["input"]!["is_lora"]!.GetValue<bool>()
            )
        );
        Assert.Equal((1, 1), (seen["progress"]!["pictures_done"]!.GetValue<int>(), seen["progress"]!["pictures"]!.GetValue<int>()));

        using var known = await product.Http.GetAsync($"v1/trainings/{made["id"]}");
        using var again = new HttpRequestMessage(HttpMethod.Get, $"v1/trainings/{made["id"]}")
        {
            Headers = { IfNoneMatch = { known.Headers.ETag! } },
        };
        Assert.Equal(HttpStatusCode.NotModified, (await product.Http.SendAsync(again)).StatusCode);
        Assert.Equal("Waiting for a GPU worker.\n", await product.Http.GetStringAsync($"v1/trainings/{made["id"]}/logs?tail=1"));
        Assert.Equal("""{"points":[],"last_step":0}""", await product.Http.GetStringAsync($"v1/trainings/{made["id"]}/metrics?after=0"));
        Assert.Equal("""{"results":[]}""", await product.Http.GetStringAsync($"v1/trainings/{made["id"]}/samples"));

        using var cancel = new HttpRequestMessage(HttpMethod.Post, $"v1/trainings/{made["id"]}/cancel")
        {
            Content = new StringContent("", System.Text.Encoding.UTF8, "application/json"),
        };
        Assert.Equal(HttpStatusCode.OK, (await product.Http.SendAsync(cancel)).StatusCode);
        var ended = await UntilAsync(made["id"]!.ToString(), t => t["status"]!.ToString() == "canceled");
        Assert.True(ended["completed_at"] is not null && ended["error"] is null && ended["logs"]!.ToString().Length > 0);
        Assert.Equal(
            ended["completed_at"]!.ToString(),
            JsonNode.Parse(await (await product.Http.PostAsync($"v1/trainings/{made["id"]}/cancel", null)).Content.ReadAsStringAsync())![
                "completed_at"
            ]!.ToString()
        );
        Assert.Null((await JsonAsync("v1/models/me/shape"))["latest_version"]);

        Assert.Equal(HttpStatusCode.NoContent, (await product.Http.DeleteAsync($"v1/trainings/{made["id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync($"v1/trainings/{made["id"]}")).StatusCode);
        await foreach (
            var blob in product
                .Storage.GetBlobContainerClient("datasets")
                .GetBlobsAsync(
                    Azure.Storage.Blobs.Models.BlobTraits.None,
                    Azure.Storage.Blobs.Models.BlobStates.None,
                    $"me/{made["id"]}/",
                    default
                )
        )
            Assert.Fail(blob.Name);
    }

    [Fact]
    public async Task What_cannot_be_trained_is_refused_with_the_status_that_clients_expect()
    {
        var link = await SentAsync();
        await ModelAsync("refused");
        var input = new JsonObject { ["input_images"] = link };
        Assert.Equal(
            (404, "The destination 'me/nowhere' does not exist. Make the model first: POST v1/models."),
            await ProductFixture.ProblemAsync(await TrainAsync("me/nowhere", input))
        );
        Assert.Equal(404, (await ProductFixture.ProblemAsync(await TrainAsync("you/refused", input))).Status);
        Assert.Equal(422, (await ProductFixture.ProblemAsync(await TrainAsync(null, input))).Status);
        Assert.Equal(
            404,
            (int)
                (
                    await product.PostAsync(
                        $"v1/models/stability-ai/sdxl/versions/{new string('0', 64)}/trainings",
                        Body("me/refused", input)
                    )
                ).StatusCode
        );
        var (status, detail) = await ProductFixture.ProblemAsync(
            await TrainAsync(
                "me/refused",
                new JsonObject
                {
                    ["input_images"] = new JsonObject { ["type"] = "Buffer", ["data"] = new JsonArray(1) },
                }
            )
        );
        Assert.Equal(422, status);
        Assert.Contains("files.create", detail, StringComparison.Ordinal);
        var bad = await TrainAsync("me/refused", new JsonObject { ["input_images"] = link, ["max_train_steps"] = "7.5", ["seed"] = "" });
        var problem = JsonNode.Parse(await bad.Content.ReadAsStringAsync())!;
        Assert.Equal(
            (422, 422, "max_train_steps"),
            ((int)bad.StatusCode, problem["status"]!.GetValue<int>(), problem["invalid_fields"]![0]!["field"]!.ToString())
        );
        Assert.Equal(problem["detail"]!.ToString(), problem["invalid_fields"]![0]!["detail"]!.ToString());
    }

    /// <summary>Its request died between the record and the start: nothing works on it that could be asked to end.</summary>
    [Theory]
    [InlineData("trainings", false)]
    [InlineData("checks", true)]
    public async Task What_was_recorded_and_not_started_is_canceled_at_once(string list, bool isCheck)
    {
        var record = new TrainingRecord
        {
            Id = JobId.New(),
            Owner = "me",
            Name = "lost",
            Base = "toy",
            Source = "http",
            Status = JobStatus.Starting,
            Stage = TrainingStage.Queued,
            Input = [],
            CreatedAt = DateTimeOffset.UtcNow,
            IsCheck = isCheck,
        };
        await product.Records().CreateAsync(record);
        using var answer = await product.Http.PostAsync($"v1/{list}/{record.Id}/cancel", null);
        var canceled = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal("canceled", canceled["status"]!.ToString());
        Assert.NotNull(canceled["completed_at"]);
    }

    [Fact]
    public async Task The_same_post_with_the_same_key_makes_one_training_and_other_keys_make_others()
    {
        async Task<string> PostAsync(string key)
        {
            using var form = new MultipartFormDataContent
            {
                { new ByteArrayContent(s_archive), "input_images", "once.tar" },
                { new StringContent("once"), "name" },
            };
            using var request = new HttpRequestMessage(HttpMethod.Post, "v1/trainings")
            {
                Content = form,
                Headers = { { "Idempotency-Key", key } },
            };
            using var answer = await product.Http.SendAsync(request);
            return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.ToString();
        }
        var (first, again, other) = (await PostAsync("a"), await PostAsync("a"), await PostAsync("b"));
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        var list = (await JsonAsync("v1/trainings?model=once"))["results"]!.AsArray().Select(t => t!["id"]!.ToString()).ToList();
        Assert.Equal([other, first], list);
        Assert.Empty((await JsonAsync("v1/trainings?model=once&status=failed"))["results"]!.AsArray());
        Assert.Equal(422, (int)(await product.Http.GetAsync("v1/trainings?status=aborted")).StatusCode);
        foreach (var id in new[] { first, other })
            await product.Http.PostAsync($"v1/trainings/{id}/cancel", null);
    }

    private async Task<string> SentAsync()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(s_archive), "content", "buffer_1712345678" } };
        using var answer = await product.Http.PostAsync("v1/files", form);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["urls"]!["get"]!.ToString();
    }

    private async Task ModelAsync(string name) =>
        await product.PostAsync(
            "v1/models",
            new JsonObject
            {
                ["owner"] = "me",
                ["name"] = name,
                ["visibility"] = "private",
                ["hardware"] = "cpu",
            }
        );

    private async Task<HttpResponseMessage> TrainAsync(string? destination, JsonObject input)
    {
        var version = (await JsonAsync("v1/models/stability-ai/sdxl"))["latest_version"]!["id"];
        return await product.PostAsync($"v1/models/stability-ai/sdxl/versions/{version}/trainings", Body(destination, input));
    }

    private static JsonObject Body(string? destination, JsonObject input) =>
        new() { ["destination"] = destination, ["input"] = input.DeepClone() };

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await product.Http.GetStringAsync(path))!;

    private Task<JsonNode> UntilAsync(string id, Func<JsonNode, bool> reached) => product.UntilAsync($"v1/trainings/{id}", reached);
}
