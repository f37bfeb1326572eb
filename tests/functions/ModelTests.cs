using System.Net;
using System.Text.Json.Nodes;
using Sdxl.Core.Predictions;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>Models as Replicate's clients make and read them.</summary>
[Collection(ProductCollection.Name)]
public sealed class ModelTests(ProductFixture product)
{
    private const string Upstream = "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b";

    [Fact]
    public async Task A_model_is_made_once_by_its_owner_alone_and_has_no_version_yet()
    {
        var answer = await product.PostAsync("v1/models", Body("made", "private", "gpu-a40-small"));
        var model = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(("me", "made", "private"), (model["owner"]!.ToString(), model["name"]!.ToString(), model["visibility"]!.ToString()));
        Assert.True(model.ContainsKey("latest_version") && model["latest_version"] is null);
        Assert.Equal(0, model["run_count"]!.GetValue<int>());
        Assert.Equal(409, (int)(await product.PostAsync("v1/models", Body("made", "public", "cpu"))).StatusCode);
        Assert.Equal("made", (await JsonAsync("v1/models/me/made"))["name"]!.ToString());
        Assert.Empty((await JsonAsync("v1/models/me/made/versions"))["results"]!.AsArray());

        var (status, detail) = await ProductFixture.ProblemAsync(
            await product.PostAsync("v1/models", Body("made", "private", "cpu", "you"))
        );
        Assert.Equal((403, "You are 'me' and cannot make a model of 'you'."), (status, detail));
    }

    [Theory]
    [InlineData("a b", "private", "cpu", "Model name 'a b' is not of the form")]
    [InlineData("x/y", "private", "cpu", "Model name 'x y' is not of the form")]
    [InlineData("ok1", "secret", "cpu", "'visibility' is 'secret'; it must be public or private.")]
    [InlineData("ok2", "", "gpu-b999", "'hardware' is 'gpu-b999'; GET v1/hardware lists what may be said.")]
    public async Task One_that_makes_no_sense_is_refused(string name, string visibility, string hardware, string reason)
    {
        var (status, detail) = await ProductFixture.ProblemAsync(await product.PostAsync("v1/models", Body(name, visibility, hardware)));
        Assert.Equal(422, status);
        Assert.StartsWith(reason, detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_base_is_stability_ai_sdxl_also_under_the_ids_that_examples_paste()
    {
        var model = await JsonAsync("v1/models/stability-ai/sdxl");
        var version = model["latest_version"]!["id"]!.ToString();
        Assert.Matches("^[0-9a-f]{64}$", version);
        foreach (var id in new[] { version, Upstream })
            Assert.Equal("toy", (await JsonAsync($"v1/models/stability-ai/sdxl/versions/{id}"))["base"]!.ToString());
        Assert.Equal("big", (await JsonAsync("v1/models/stability-ai/big"))["name"]!.ToString());
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync("v1/models/stability-ai/none")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync($"v1/models/stability-ai/big/versions/{version}")).StatusCode);
    }

    [Fact]
    public async Task Models_are_looked_for_by_words_raw_or_in_quotes()
    {
        await product.PostAsync("v1/models", Body("quizzical", "private", "cpu"));
        foreach (var words in new[] { "quizzi", "\"quizzi\"" })
        {
            using var request = new HttpRequestMessage(new HttpMethod("QUERY"), "v1/models") { Content = new StringContent(words) };
            using var answer = await product.Http.SendAsync(request);
            Assert.Equal(
                "quizzical",
                JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["results"]!.AsArray().Single()!["name"]!.ToString()
            );
        }
        Assert.Contains(
            (await JsonAsync("v1/models"))["results"]!.AsArray(),
            m => m!["owner"]!.ToString() == "stability-ai" && m["name"]!.ToString() == "sdxl"
        );
    }

    /// <summary>What kin-openapi 0.125 in Replicate's command line needs, or it gives up or panics.</summary>
    [Fact]
    public async Task A_versions_schema_keeps_the_rules_of_the_command_lines_parser()
    {
        var schema = (await JsonAsync("v1/models/stability-ai/sdxl"))["latest_version"]!["openapi_schema"]!;
        var schemas = schema["components"]!["schemas"]!.AsObject();
        Assert.NotNull(schemas["Output"]!["items"]);
        Assert.Equal(PredictionInputs.Fields.Select(f => f.Name), schemas["Input"]!["properties"]!.AsObject().Select(p => p.Key));
        foreach (
            var (name, property) in schemas["Input"]!["properties"]!.AsObject().Concat(schemas["TrainingInput"]!["properties"]!.AsObject())
        )
        {
            var has = property!.AsObject();
            Assert.True(
                has["type"] is JsonValue || has["allOf"] is not null && has["default"] is not null,
                $"{name} has no type and no default"
            );
            Assert.False(has.ContainsKey("anyOf") || has["default"] is null && has.ContainsKey("default"), name);
            Assert.False(has.ContainsKey("exclusiveMinimum") || has.ContainsKey("exclusiveMaximum"), name);
            Assert.True(has["x-order"] is not null, name);
            if (has["allOf"]?[0]?["$ref"]?.ToString() is { } reference)
                Assert.True(schemas.ContainsKey(reference["#/components/schemas/".Length..]), reference);
        }
        Assert.Equal("uri", schemas["Input"]!["properties"]!["image"]!["format"]!.ToString());
        Assert.Equal(128, schemas["Input"]!["properties"]!["width"]!["default"]!.GetValue<int>()); // the toy's, not the general one
    }

    [Fact]
    public async Task A_removed_version_is_gone_with_its_files_and_a_removed_model_with_its_versions()
    {
        var store = new VersionStore(new Sdxl.Functions.Storage.BlobStore(product.Storage));
        var (first, second) = (new string('1', 64), new string('2', 64));
        foreach (var id in new[] { first, second })
        {
            await store.MakeVisibleAsync(
                new PublishedVersion(id, "me", "gone", "toy", "aaaabbbbccccddddeeeeffffgg", DateTimeOffset.UnixEpoch),
                CancellationToken.None
            );
            await product
                .Storage.GetBlobContainerClient("models")
                .GetBlobClient($"me/gone/versions/{id}/trained_model.tar")
                .UploadAsync(BinaryData.FromString("x"));
        }
        Assert.Equal(202, (int)(await product.Http.DeleteAsync($"v1/models/me/gone/versions/{second}")).StatusCode);
        Assert.Equal(404, (int)(await product.Http.DeleteAsync($"v1/models/me/gone/versions/{second}")).StatusCode);
        Assert.Equal(404, (int)(await product.Http.GetAsync($"v1/models/me/gone/versions/{second}/trained_model.tar")).StatusCode);
        Assert.Equal(first, (await JsonAsync("v1/models/me/gone"))["latest_version"]!["id"]!.ToString());
        Assert.Null(await store.FindAsync(second, "me", CancellationToken.None));

        Assert.Equal(204, (int)(await product.Http.DeleteAsync("v1/models/me/gone")).StatusCode);
        Assert.Equal(404, (int)(await product.Http.GetAsync("v1/models/me/gone")).StatusCode);
        Assert.Null(await store.FindAsync(first, "me", CancellationToken.None));
        await foreach (
            var blob in product
                .Storage.GetBlobContainerClient("models")
                .GetBlobsAsync(Azure.Storage.Blobs.Models.BlobTraits.None, Azure.Storage.Blobs.Models.BlobStates.None, "me/gone/", default)
        )
            Assert.Fail(blob.Name);
    }

    private static JsonObject Body(string name, string visibility, string hardware, string owner = "me") =>
        new() { ["owner"] = owner, ["name"] = name, ["visibility"] = visibility, ["hardware"] = hardware };

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await product.Http.GetStringAsync(path))!;
}
