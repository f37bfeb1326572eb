using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>Another owner's token: whatever is asked of somebody else's things, by whatever verb, they are not there.</summary>
[Collection(ProductCollection.Name)]
public sealed class ForeignOwnerTests(ProductFixture product)
{
    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(
        ("a.png", File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png"))),
        ("a.txt", "a photo of TOK"u8.ToArray())
    );
    private static readonly string s_version = "f0" + new string('e', 62);

    [Fact]
    public async Task Every_endpoint_and_verb_that_names_a_thing_answers_404_to_another_owner()
    {
        var ids = await ThingsAsync();
        using var stranger = product.With(
            (
                await product.TokenAsync(
                    new JsonObject
                    {
                        ["name"] = "s",
                        ["owner"] = "stranger",
                        ["scopes"] = new JsonArray("read", "write", "tokens"),
                    }
                )
            )["token"]!.ToString()
        );
        var asked = 0;
        foreach (var (name, method, trigger) in TokenTests.HttpFunctions())
        {
            var route = trigger.Route!;
            if (!route.Contains('{') || TokenTests.IsOpen(method))
                continue;
            var path = Regex.Replace(
                route,
                @"\{\*?([a-z]+)[^}]*\}",
                match => ids.GetValueOrDefault($"{route.Split('/')[1]}.{match.Groups[1].Value}") ?? ids[match.Groups[1].Value]
            );
            foreach (var verb in trigger.Methods!)
            {
                using var request = new HttpRequestMessage(new HttpMethod(verb.ToUpperInvariant()), path)
                {
                    Content = verb is "post" or "patch"
                        ? new StringContent("""{"input": {}}""", System.Text.Encoding.UTF8, "application/json")
                        : null,
                };
                using var answer = await stranger.SendAsync(request);
                Assert.True(
                    answer.StatusCode == HttpStatusCode.NotFound,
                    $"{name}: {verb} {path} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"
                );
                asked++;
            }
            // It is the owner that matters: he gets it (what does not change anything).
            if (trigger.Methods!.Contains("get"))
            {
                using var own = await product.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead); // some never end
                Assert.True(own.StatusCode != HttpStatusCode.NotFound, $"{name}: get {path} answered its owner 404");
            }
        }
        Assert.True(asked > 30, $"only {asked} were asked");

        foreach (var list in new[] { "v1/trainings", "v1/files", "v1/models" })
        {
            var results = JsonNode.Parse(await stranger.GetStringAsync(list))!["results"]!.AsArray();
            Assert.DoesNotContain(results, thing => thing!["owner"]?.ToString() != BaseModels.Owner);
        }
    }

    [Fact]
    public async Task Another_owners_blobs_and_addresses_are_no_inputs()
    {
        var ids = await ThingsAsync();
        using var stranger = product.With(
            (await product.TokenAsync(new JsonObject { ["name"] = "s", ["owner"] = "stranger" }))["token"]!.ToString()
        );
        foreach (
            var link in new[]
            {
                $"files/me/{ids["files.id"]}",
                $"{product.Http.BaseAddress}v1/files/{ids["files.id"]}",
                $"models/me/foreign/versions/{s_version}/trained_model.tar",
                $"{product.Storage.Uri.AbsoluteUri.TrimEnd('/')}/files/me/{ids["files.id"]}",
                $"datasets/me/{ids["trainings.id"]}/archive/foreign.tar",
                "records/_tokens/x.json",
                $"records/me/trainings/{ids["trainings.id"]}.json",
                "elsewhere/x.zip",
                $"files/stranger/../me/{ids["files.id"]}",
            }
        )
        {
            using var answer = await ProductFixture.PostAsync(
                stranger,
                "v1/checks",
                new JsonObject { ["input"] = new JsonObject { ["input_images"] = link } }
            );
            Assert.True((int)answer.StatusCode == 422, $"{link}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>One of each kind, by "kind.parameter" of the routes.</summary>
    private async Task<Dictionary<string, string>> ThingsAsync()
    {
        using var file = await product.Http.PostAsync(
            "v1/files",
            new MultipartFormDataContent { { new ByteArrayContent(s_archive), "content", "foreign.tar" } }
        );
        using var training = await product.PostArchiveAsync(
            "v1/trainings",
            s_archive,
            "foreign.tar",
            ("name", "foreign"),
            ("resolution", "64")
        );
        using var check = await product.PostArchiveAsync("v1/checks", s_archive, "foreign.tar", ("resolution", "64"));
        using var prediction = await product.PostAsync(
            "v1/predictions",
            new JsonObject
            {
                ["base"] = "toy",
                ["input"] = new JsonObject { ["prompt"] = "x" },
            }
        );
        var (fileId, trainingId, checkId, predictionId) = (
            await IdAsync(file),
            await IdAsync(training),
            await IdAsync(check),
            await IdAsync(prediction)
        );
        await product.UntilAsync($"v1/checks/{checkId}", c => c["completed_at"] is not null);
        await product.UntilAsync($"v1/trainings/{trainingId}", t => t["stage"]!.ToString() == "train");
        await product.Http.PostAsync($"v1/trainings/{trainingId}/cancel", null);
        var token = await product.TokenAsync(new JsonObject { ["name"] = "mine" });
        using var subscription = await product.PostAsync(
            "v1/subscriptions",
            new JsonObject { ["url"] = "https://hooks.example/x", ["types"] = new JsonArray("version.published") }
        );
        await new VersionStore(new BlobStore(product.Storage)).MakeVisibleAsync(
            new PublishedVersion(s_version, "me", "foreign", "toy", trainingId, DateTimeOffset.UnixEpoch),
            CancellationToken.None
        );
        await product
            .Storage.GetBlobContainerClient("models")
            .GetBlobClient($"me/foreign/versions/{s_version}/trained_model.tar")
            .UploadAsync(BinaryData.FromString("x"), overwrite: true);
        // The page of the training's report, which is made when all pictures are prepared.
        await product.UntilAsync($"v1/trainings/{trainingId}", t => t["completed_at"] is not null);
        await product
            .Storage.GetBlobContainerClient("predictions")
            .GetBlobClient($"me/{predictionId}/out-0.png")
            .UploadAsync(BinaryData.FromString("x"), overwrite: true);
        return new Dictionary<string, string>
        {
            ["trainings.id"] = trainingId,
            ["checks.id"] = checkId,
            ["predictions.id"] = predictionId,
            ["files.id"] = fileId,
            ["tokens.id"] = token["id"]!.ToString(),
            ["models.owner"] = "me",
            ["models.name"] = "foreign",
            ["models.version"] = s_version,
            ["models.file"] = "trained_model.tar",
            ["subscriptions.id"] = await IdAsync(subscription),
            ["undelivered.name"] = $"{predictionId}-0001.webhook",
            ["index"] = "0",
            ["step"] = "5",
        };
    }

    private static async Task<string> IdAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return JsonNode.Parse(text)?["id"]?.ToString() ?? throw new InvalidOperationException(text);
    }
}
