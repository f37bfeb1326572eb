using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sdxl.Tests;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.EndToEnd.Tests;

/// <summary>A prediction with weights that the caller brings: replicate_weights.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class WeightsTests(SharedHost shared)
{
    private static readonly byte[] NoWeights = [16, 0, 0, 0, 0, 0, 0, 0, .. "{\"a\":"u8];

    private readonly LocalHostProcess _host = shared.Host;

    [Fact]
    public async Task Weights_draw_what_their_version_draws_however_they_are_brought()
    {
        var version = await VersionAsync();
        var path = $"models/{version.Replace(":", "/versions/")}/trained_model.tar";
        var tar = await _host.Http.GetByteArrayAsync($"v1/{path}");
        var expected = await PictureAsync(await DrawnAsync(Body(null, version)));
        Assert.NotEqual(expected, await PictureAsync(await DrawnAsync(Body(null))));

        Assert.Equal(expected, await PictureAsync(await DrawnAsync(Body(path))));
        Assert.Equal(expected, await PictureAsync(await DrawnAsync(Body($"{_host.Blobs.Uri.AbsoluteUri.TrimEnd('/')}/{path}?sig=secret"))));
        Assert.Equal(expected, await PictureAsync(await DrawnAsync(Body($"{_host.Http.BaseAddress}v1/{path}"))));
        var sent = await DrawnAsync(Body("data:application/x-tar;base64," + Convert.ToBase64String(tar)));
        Assert.Equal(expected, await PictureAsync(sent));
        // Records hold blob names, not payloads.
        Assert.Equal($"jobs/me/{sent["id"]}/inputs/replicate_weights/replicate_weights", sent["input"]!["replicate_weights"]!.ToString());
        Assert.Equal(
            expected,
            await PictureAsync(await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("trained_model.tar", tar))))
        );
    }

    [Fact]
    public async Task Each_file_of_a_training_can_be_drawn_with_and_an_embeddings_name_is_its_word()
    {
        var version = await VersionAsync();
        var prefix = $"models/{version.Replace(":", "/versions/")}";
        var plain = await PictureAsync(await DrawnAsync(Body(null)));
        var files = JsonNode.Parse(await _host.Http.GetByteArrayAsync($"v1/{prefix}/manifest.json"))!["files"]!
            .AsArray()
            .Select(f => f!["name"]!.ToString())
            .ToList();
        foreach (var file in files.Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal)))
            Assert.NotEqual(plain, await PictureAsync(await DrawnAsync(Body($"{prefix}/{file}"))));
        var embedding = await _host.Http.GetByteArrayAsync($"v1/{prefix}/TOK.safetensors");
        Assert.Equal(
            plain,
            await PictureAsync(await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("OTHERWORD.safetensors", embedding))))
        );
        var named = await PictureAsync(await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("TOK.safetensors", embedding))));
        Assert.NotEqual(plain, named);
        Assert.Equal(
            named,
            await PictureAsync(
                await DrawnAsync(Body("data:application/octet-stream;name=TOK.safetensors;base64," + Convert.ToBase64String(embedding)))
            )
        );
    }

    [Theory]
    [InlineData("models/me/none/versions/x/trained_model.tar", "there is no such blob")]
    [InlineData("weights.tar", "no file of this service's storage")]
    [InlineData("ftp://example.com/w.tar", "http or https")]
    [InlineData("https://user:pass@example.com/w.tar?sig=secret", "without user name and password")]
    [InlineData("http://169.254.169.254/latest/meta-data?x=secret", "not on the public internet")]
    [InlineData("http://localhost:1/w.tar", "not on the public internet")]
    [InlineData("http://[::1]:1/w.tar", "not on the public internet")]
    [InlineData("http://0x7f000001/w.tar", "not on the public internet")]
    [InlineData("data:application/x-tar;base64,%%%", "base64 text is broken")]
    [InlineData("data:text/plain,hello", "not base64")]
    public async Task Weights_that_cannot_be_had_are_refused_at_once_and_nothing_inside_the_network_is_asked(string weights, string says)
    {
        var answer = await PostAsync(Body(weights));

        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.InRange((int)answer.StatusCode, 400, 422);
        Assert.Contains(says, problem["detail"]!.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("replicate_weights", problem["invalid_fields"]![0]!["field"]!.ToString());
    }

    [Fact]
    public async Task Files_that_were_sent_lie_in_storage_until_the_prediction_is_over_and_never_if_it_is_refused()
    {
        var before = await BroughtAsync();
        var refused = Form("cat.safetensors", NoWeights);
        refused.Add(new StringContent("jobs/no/such.png"), "image");
        refused.Add(new StringContent("jobs/no/mask.png"), "mask");
        var answer = await _host.Http.PostAsync("v1/predictions", refused);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(["image", "mask"], problem["invalid_fields"]!.AsArray().Select(p => p!["field"]!.ToString()));
        Assert.Empty((await BroughtAsync()).Except(before));

        var failed = await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("cat.safetensors", NoWeights)));
        Assert.StartsWith("Input 'replicate_weights' cannot be applied.", failed["error"]!.ToString(), StringComparison.Ordinal);
        await _host.EventuallyAsync(
            async () =>
                (await BroughtAsync()).All(name => !name.StartsWith(failed["id"]!.ToString(), StringComparison.Ordinal)) ? failed : null,
            TimeSpan.FromSeconds(30),
            "the inputs' removal"
        );
    }

    /// <summary>What predictions brought with them and left in storage.</summary>
    private async Task<IReadOnlyList<string>> BroughtAsync()
    {
        var names = new List<string>();
        await foreach (var blob in _host.Blobs.GetBlobContainerClient("jobs").GetBlobsAsync())
        {
            if (blob.Name.Contains("/inputs/", StringComparison.Ordinal))
                names.Add(blob.Name);
        }
        return names;
    }

    [Fact]
    public async Task Weights_that_are_none_fail_the_prediction_with_a_sentence_and_without_another_try()
    {
        var prediction = await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("cat.safetensors", NoWeights)));

        Assert.Equal("failed", prediction["status"]!.ToString());
        Assert.StartsWith(
            "Input 'replicate_weights' cannot be applied. Weights file 'cat.safetensors': claims a header of 16 bytes",
            prediction["error"]!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Weights_with_NaN_fail_the_prediction_by_the_tensors_name_and_a_tag_in_a_prompt_is_named()
    {
        var nan = await File.ReadAllBytesAsync(TestPaths.Fixture("reports", "w12-nan.safetensors"));
        var failed = await EndAsync(await _host.Http.PostAsync("v1/predictions", Form("fried.safetensors", nan)));
        Assert.Equal("failed", failed["status"]!.ToString());
        Assert.Matches("^Input 'replicate_weights' cannot be applied. Weights file 'fried.safetensors': tensor '[^']+' holds NaN",
            failed["error"]!.ToString());

        var body = Body(null);
        body["input"]!["prompt"] = "a (purple:1.2) circle <lora:fried:0.8>";
        body["input"]!["disable_safety_checker"] = true;
        Assert.Contains("the tag <lora:fried:0.8> loads nothing here",
            Assert.Single((await DrawnAsync(body))["warnings"]!.AsArray())!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weights_beside_a_version_are_refused()
    {
        var answer = await PostAsync(Body("models/a/b.tar", await VersionAsync()));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("together with 'version'", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_is_not_drawn_under_another_base_model()
    {
        var body = Body(null, await VersionAsync());
        body["base"] = "sdxl";
        var answer = await PostAsync(body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("was trained on base model 'toy', not 'sdxl'", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_LoRA_without_its_words_vectors_says_that_the_word_is_a_plain_one()
    {
        var prefix = $"models/{(await VersionAsync()).Replace(":", "/versions/")}";
        var files = JsonNode.Parse(await _host.Http.GetByteArrayAsync($"v1/{prefix}/manifest.json"))!["files"]!
            .AsArray()
            .Select(f => f!["name"]!.ToString())
            .ToList();
        var body = Body($"{prefix}/{files.Single(f => f.EndsWith("-kohya.safetensors", StringComparison.Ordinal))}");
        body["input"]!["disable_safety_checker"] = true;
        Assert.Contains(
            "does not hold the vectors",
            Assert.Single((await DrawnAsync(body))["warnings"]!.AsArray())!.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_prediction_that_nothing_checked_says_so_unless_that_was_asked_for_or_is_the_base_models_nature()
    {
        var body = Body(null);
        Assert.Empty((await DrawnAsync(body))["warnings"]!.AsArray());
        body["base"] = LocalHostProcess.UncheckedBase;
        Assert.Contains(
            "were not checked: base model 'unchecked' has no safety checker",
            Assert.Single((await DrawnAsync(body))["warnings"]!.AsArray())!.ToString(),
            StringComparison.Ordinal
        );
        body["input"]!["disable_safety_checker"] = true;
        Assert.Empty((await DrawnAsync(body))["warnings"]!.AsArray());
    }

    [Fact]
    public async Task A_picture_to_start_from_may_be_sent_as_a_file_or_named_by_address()
    {
        using var green = new Image<Rgb24>(64, 64, new Rgb24(20, 200, 40));
        using var stream = new MemoryStream();
        green.SaveAsPng(stream);
        var form = new MultipartFormDataContent { { new ByteArrayContent(stream.ToArray()), "image", "green.png" } };
        foreach (var (name, value) in Inputs.Append(KeyValuePair.Create("prompt_strength", (JsonNode)0.0)))
            form.Add(new StringContent(value.ToString()), name);
        form.Add(new StringContent("toy"), "base");
        var first = await EndAsync(await _host.Http.PostAsync("v1/predictions", form));
        Assert.Equal("succeeded", first["status"]!.ToString());

        // Its own output again, by the address under which the app serves it.
        var body = Body(null);
        body["input"]!["image"] = first["output"]![0]!.ToString();
        body["input"]!["prompt_strength"] = 0;
        using var picture = Image.Load<Rgb24>(await _host.Http.GetByteArrayAsync((await DrawnAsync(body))["output"]![0]!.ToString()));
        Assert.True(picture[32, 32].G > picture[32, 32].R, $"{picture[32, 32]} is not green");
    }

    [Fact]
    public async Task An_archive_is_named_in_the_same_ways()
    {
        var zip = Short.Dataset("gizmo.zip");
        await _host
            .Blobs.GetBlobContainerClient("datasets")
            .GetBlobClient("me/named/gizmo.zip")
            .UploadAsync(new BinaryData(zip), overwrite: true);
        foreach (
            var link in new[]
            {
                "datasets/me/named/gizmo.zip",
                $"{_host.Blobs.Uri.AbsoluteUri.TrimEnd('/')}/datasets/me/named/gizmo.zip?sig=x",
                "data:application/zip;base64," + Convert.ToBase64String(zip),
            }
        )
        {
            var check = await CheckAsync(link);
            Assert.True(check.StatusCode == HttpStatusCode.Created, await check.Content.ReadAsStringAsync());
        }
        var refused = await CheckAsync("http://169.254.169.254/gizmo.zip?sig=secret");
        var detail = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["detail"]!.ToString();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(
            "Input 'input_images' is 'http://169.254.169.254/gizmo.zip': host '169.254.169.254' is not on the public internet",
            detail,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("secret", detail, StringComparison.Ordinal);

        Task<HttpResponseMessage> CheckAsync(string link) =>
            _host.Http.PostAsync(
                "v1/checks",
                new StringContent(
                    new JsonObject
                    {
                        ["base"] = "toy",
                        ["name"] = "named",
                        ["input"] = new JsonObject { ["input_images"] = link },
                    }.ToJsonString(),
                    System.Text.Encoding.UTF8,
                    "application/json"
                )
            );
    }

    private static IEnumerable<KeyValuePair<string, JsonNode>> Inputs =>
    [
        new("prompt", "a photo of TOK on the grass"), new("seed", 7), new("width", 64), new("height", 64), new("num_inference_steps", 3),
    ];

    private static JsonObject Body(string? weights, string? version = null)
    {
        var body = new JsonObject { ["input"] = new JsonObject(Inputs.Select(i => KeyValuePair.Create(i.Key, (JsonNode?)i.Value))) };
        if (weights is not null)
            body["input"]!["replicate_weights"] = weights;
        body[version is null ? "base" : "version"] = version ?? "toy";
        return body;
    }

    private static MultipartFormDataContent Form(string name, byte[] weights)
    {
        var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(weights), "replicate_weights", name },
            { new StringContent("toy"), "base" },
        };
        foreach (var (key, value) in Inputs)
            form.Add(new StringContent(value.ToString()), key);
        return form;
    }

    private Task<HttpResponseMessage> PostAsync(JsonObject body) =>
        _host.Http.PostAsync("v1/predictions", new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"));

    private async Task<JsonObject> DrawnAsync(JsonObject body)
    {
        var prediction = await EndAsync(await PostAsync(body));
        Assert.True(prediction["status"]!.ToString() == "succeeded", prediction.ToJsonString());
        return prediction;
    }

    private async Task<JsonObject> EndAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        var id = JsonNode.Parse(text)!["id"]!.ToString();
        return await _host.EventuallyAsync(
            async () =>
                await _host.GetAsync($"v1/predictions/{id}") is { } p && p["status"]!.ToString() is "succeeded" or "failed" ? p : null,
            TimeSpan.FromMinutes(2),
            $"prediction {id}"
        );
    }

    private async Task<string> PictureAsync(JsonObject prediction)
    {
        using var picture = Image.Load<Rgb24>(await _host.Http.GetByteArrayAsync(prediction["output"]![0]!.ToString()));
        var pixels = new byte[picture.Width * picture.Height * 3];
        picture.CopyPixelDataTo(pixels);
        return Convert.ToHexStringLower(SHA256.HashData(pixels));
    }

    /// <summary>
    /// A version with a strong fine-tune; trained once for all tests here (the same pictures and inputs give the same version).
    /// </summary>
    private async Task<string> VersionAsync()
    {
        if ((await _host.Http.GetAsync("v1/models/me/weights/versions")) is { IsSuccessStatusCode: true } known
            && JsonNode.Parse(await known.Content.ReadAsStringAsync())!["results"]!.AsArray() is [var version, ..])
            return $"me/weights:{version!["id"]}";
        var answer = await _host.PostAsync(
            Short.Dataset("gizmo.zip"),
            "gizmo.zip",
            Short.Training(more: [("name", "weights"), ("lora_lr", "0.01"), ("ti_lr", "0.05"), ("lr_warmup_steps", "0")])
        );
        var training = await _host.EndOfTrainingAsync(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.ToString());
        Assert.True(training["status"]!.ToString() == "succeeded", training.ToJsonString());
        return Short.Version(training);
    }
}
