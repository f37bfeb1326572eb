using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Versions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>
/// Trainings that go on from a published version: what they take over of it, and what is refused. No worker is here: they wait for one.
/// </summary>
[Collection(ProductCollection.Name)]
public sealed class FurtherTrainingTests(ProductFixture product)
{
    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(
        ("a.png", File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png"))),
        ("a.txt", "a photo of CATX"u8.ToArray()));

    [Fact]
    public async Task More_steps_on_the_versions_own_pictures_need_neither_archive_nor_settings()
    {
        var (version, parent) = await PublishedAsync("further-own");
        var made = await CreatedAsync(await product.PostAsync("v1/trainings", new JsonObject
        {
            ["from"] = "me/further-own", ["input"] = new JsonObject { ["max_train_steps"] = 7 },
        }));
        Assert.Equal(
            (version, parent, "me/further-own", "toy"),
            (made["from"]!.ToString(), made["check"]!.ToString(), made["destination"]!.ToString(), made["base"]!.ToString()));

        var begun = await product.UntilAsync($"v1/trainings/{made["id"]}", t => t["stage"]!.ToString() == "train");
        Assert.Equal(
            (7, 4, 64, "CATX"),
            (begun["input"]!["max_train_steps"]!.GetValue<int>(), begun["input"]!["lora_rank"]!.GetValue<int>(),
                begun["input"]!["resolution"]!.GetValue<int>(), begun["input"]!["token_string"]!.ToString()));
        var job = await product.PeekAsync(Queues.Trainings, body =>
            SdxlJson.Deserialize<TrainingJob>(body) is var found && found.Training.Id == made["id"]!.ToString() ? found : null);
        Assert.Equal(version, job.From);
        await EndAsync(made);
    }

    [Fact]
    public async Task Other_pictures_are_trained_on_under_the_versions_word_and_shape()
    {
        var (version, _) = await PublishedAsync("further-other");
        var made = await CreatedAsync(await product.PostArchiveAsync(
            "v1/trainings", s_archive, "other.tar", ("from", version[^64..][..12]), ("max_train_steps", "3"), ("name", "elsewhere")));
        Assert.Equal((version, "me/elsewhere"), (made["from"]!.ToString(), made["destination"]!.ToString()));
        var begun = await product.UntilAsync($"v1/trainings/{made["id"]}", t => t["stage"]!.ToString() == "train");
        Assert.Equal(("CATX", 4), (begun["input"]!["token_string"]!.ToString(), begun["input"]!["lora_rank"]!.GetValue<int>()));
        await EndAsync(made);
    }

    [Fact]
    public async Task Replicates_clients_train_a_version_of_their_own_as_they_train_the_base()
    {
        var (version, _) = await PublishedAsync("further-route");
        using var form = new MultipartFormDataContent { { new ByteArrayContent(s_archive), "content", "data.zip" } };
        using var sent = await product.Http.PostAsync("v1/files", form);
        var link = JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["urls"]!["get"]!.ToString();
        var made = await CreatedAsync(
            await product.PostAsync(
                $"v1/models/me/further-route/versions/{version.Split(':')[1]}/trainings",
                new JsonObject
                {
                    ["destination"] = "me/further-route",
                    ["input"] = new JsonObject { ["input_images"] = link, ["max_train_steps"] = 3 },
                }
            )
        );
        Assert.Equal((version, "me/further-route"), (made["from"]!.ToString(), made["destination"]!.ToString()));
        await EndAsync(made);
    }

    [Fact]
    public async Task What_does_not_fit_the_version_is_refused_at_once_with_all_of_it()
    {
        var (version, _) = await PublishedAsync("further-refused");
        using var answer = await product.PostArchiveAsync(
            "v1/trainings", s_archive, "other.tar", ("from", version), ("lora_rank", "16"), ("token_string", "DOG"), ("use_dora", "true"));
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal(
            ["token_string", "lora_rank", "use_dora"],
            problem["invalid_fields"]!.AsArray().Select(field => field!["field"]!.ToString())
        );
        Assert.Contains(
            $"Input 'lora_rank' is 16, but version '{version}' was trained with 4",
            problem["detail"]!.ToString(),
            StringComparison.Ordinal
        );

        using var elsewhere = await product.PostAsync(
            "v1/trainings",
            new JsonObject
            {
                ["from"] = version,
                ["base"] = "big",
                ["input"] = new JsonObject(),
            }
        );
        Assert.Equal(422, (int)elsewhere.StatusCode);
    }

    [Theory]
    [InlineData("me/nobody", "There is no version 'me/nobody' among yours to go on from.")]
    [InlineData("stability-ai/sdxl", "'stability-ai/sdxl' is a base model, with which a training begins anyway.")]
    public async Task What_is_no_version_of_ones_own_is_not_gone_on_from(string from, string reason)
    {
        var (status, detail) = await ProductFixture.ProblemAsync(
            await product.PostArchiveAsync("v1/trainings", s_archive, "other.tar", ("from", from))
        );
        Assert.Equal(422, status);
        Assert.StartsWith(reason, detail, StringComparison.Ordinal);
    }

    /// <summary>A training with its data set, and a version as if a worker had trained it.</summary>
    private async Task<(string Version, string Training)> PublishedAsync(string name)
    {
        var made = await CreatedAsync(
            await product.PostArchiveAsync(
                "v1/trainings",
                s_archive,
                "first.tar",
                ("name", name),
                ("resolution", "64"),
                ("lora_rank", "4"),
                ("token_string", "CATX"),
                ("seed", "1")
            )
        );
        var begun = await product.UntilAsync($"v1/trainings/{made["id"]}", t => t["stage"]!.ToString() == "train");
        await EndAsync(made);
        var manifest = new VersionManifest(
            "toy",
            "CATX",
            begun["input"]!.DeepClone().AsObject(),
            [new VersionFile("trained_model.tar", 1, new string('0', 64))]
        )
        {
            Parent = $"me/{name}:of-this-test", // so that each test has a version of its own
        };
        var bytes = manifest.ToBytes();
        var version = new VersionName("me", name, VersionManifest.IdOf(bytes));
        await product
            .Storage.GetBlobContainerClient("models")
            .GetBlobClient(version.Blob(VersionManifest.FileName))
            .UploadAsync(new BinaryData(bytes), overwrite: true);
        await new VersionStore(new BlobStore(product.Storage)).MakeVisibleAsync(
            new PublishedVersion(version.Id, "me", name, "toy", made["id"]!.ToString(), DateTimeOffset.UnixEpoch), CancellationToken.None);
        return (version.ToString(), made["id"]!.ToString());
    }

    private async Task EndAsync(JsonNode training)
    {
        await product.Http.PostAsync($"v1/trainings/{training["id"]}/cancel", new StringContent("", Encoding.UTF8, "application/json"));
        await product.UntilAsync($"v1/trainings/{training["id"]}", t => t["completed_at"] is not null);
    }

    private static async Task<JsonNode> CreatedAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        return JsonNode.Parse(text)!;
    }
}
