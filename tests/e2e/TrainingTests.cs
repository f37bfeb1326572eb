using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;


namespace Sdxl.EndToEnd.Tests;

[Collection(SharedHostCollection.Name)]
public sealed class TrainingTests(SharedHost shared)
{
    private readonly LocalHostProcess _host = shared.Host;

    [Fact]
    public async Task A_zip_dropped_into_the_uploads_container_becomes_a_version_whose_files_match_their_hashes()
    {
        await _host.UploadAsync("Drop Me.zip", Short.Dataset("gizmo.zip"), Short.Training());

        var training = await _host.EndOfTrainingAsync(await _host.TrainingOfAsync("drop-me"));

        AssertSucceeded(training);
        var version = Short.Version(training);
        Assert.Matches("^me/drop-me:[0-9a-f]{64}$", version);
        var prefix = version.Replace(":", "/versions/");
        var manifestBytes = await _host.Http.GetByteArrayAsync($"v1/models/{prefix}/manifest.json");
        Assert.Equal(version.Split(':')[1], Convert.ToHexStringLower(SHA256.HashData(manifestBytes)));
        var files = JsonNode.Parse(manifestBytes)!["files"]!.AsArray();
        Assert.Contains(files, f => f!["name"]!.GetValue<string>() == "trained_model.tar");
        foreach (var file in files)
        {
            var bytes = await _host.Http.GetByteArrayAsync($"v1/models/{prefix}/{file!["name"]}");
            Assert.Equal(file["sha256"]!.GetValue<string>(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
    }

    [Fact]
    public async Task The_same_pictures_and_inputs_twice_give_one_version()
    {
        var fields = Short.Training(more: [("name", "twice-a")]);
        var first = await CreatedAsync(await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", fields));
        var second = await CreatedAsync(await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", fields));

        var a = await _host.EndOfTrainingAsync(first);
        var b = await _host.EndOfTrainingAsync(second);

        AssertSucceeded(a);
        AssertSucceeded(b);
        Assert.Equal(Short.Version(a), Short.Version(b));
        Assert.Single((await _host.GetAsync("v1/models/me/twice-a/versions"))["results"]!.AsArray());
    }

    [Fact]
    public async Task A_version_is_trained_further_on_its_own_pictures_begins_where_it_ended_and_twice_gives_one_version()
    {
        var sampled = Short.Training(more: [("name", "further"), ("sample_prompts", "a photo of TOK"), ("sample_every_steps", "100")]);
        var first = await _host.EndOfTrainingAsync(
            await CreatedAsync(await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", sampled))
        );
        AssertSucceeded(first);

        var a = await _host.EndOfTrainingAsync(await FurtherAsync());
        var b = await _host.EndOfTrainingAsync(await FurtherAsync());

        AssertSucceeded(a);
        AssertSucceeded(b);
        Assert.Equal(Short.Version(first), a["from"]!.GetValue<string>());
        Assert.Equal(Short.Version(a), Short.Version(b));
        Assert.NotEqual(Short.Version(first), Short.Version(a));
        Assert.Equal(await SampleAsync(first, 6), await SampleAsync(a, 0));
        Assert.NotEqual(await SampleAsync(first, 6), await SampleAsync(a, 6));
        var path = $"v1/models/{Short.Version(a).Replace(":", "/versions/", StringComparison.Ordinal)}";
        Assert.Equal(Short.Version(first), (await _host.GetAsync($"{path}/manifest.json"))["parent"]!.GetValue<string>());
        Assert.Equal(Short.Version(first), (await _host.GetAsync(path))["parent"]!.GetValue<string>());

        async Task<string> FurtherAsync()
        {
            var body = new JsonObject { ["from"] = Short.Version(first), ["input"] = new JsonObject() };
            return await CreatedAsync(
                await _host.Http.PostAsync(
                    "v1/trainings",
                    new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json")
                )
            );
        }

        async Task<string> SampleAsync(JsonObject training, int step)
        {
            var samples = (await _host.GetAsync($"v1/trainings/{training["id"]}/samples"))["results"]!.AsArray();
            var link = samples.Single(sample => sample!["step"]!.GetValue<int>() == step)!["urls"]!["get"]!.GetValue<string>();
            return Convert.ToHexStringLower(SHA256.HashData(await _host.Http.GetByteArrayAsync(link)));
        }
    }

    [Fact]
    public async Task A_tar_posted_over_http_is_answered_201_with_location_and_trains()
    {
        var answer = await _host.PostAsync(Short.Dataset("gizmo.tar"), "gizmo.tar", Short.Training(more: [("name", "from-tar")]));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var id = await CreatedAsync(answer);
        Assert.EndsWith($"v1/trainings/{id}", answer.Headers.Location!.ToString(), StringComparison.Ordinal);
        AssertSucceeded(await _host.EndOfTrainingAsync(id));
    }

    [Fact]
    public async Task Captions_of_the_caption_file_are_used_and_the_one_that_is_missing_is_written_by_blip()
    {
        var id = await CreatedAsync(
            await _host.PostAsync(Short.Dataset("gizmo-captions.zip"), "gizmo-captions.zip", Short.Training(2, ("name", "captions")))
        );
        AssertSucceeded(await _host.EndOfTrainingAsync(id));

        var report = await _host.GetAsync($"v1/trainings/{id}/report");
        var expected = JsonNode.Parse(await File.ReadAllTextAsync(Short.Fixture("datasets.json")))!["gizmo-captions.zip"]!;
        var withoutCaption = expected["without_caption"]!.AsArray().Select(n => n!.GetValue<string>()).ToHashSet();
        var metrics = (await _host.GetAsync($"v1/trainings/{id}/metrics"))["points"]!.AsArray().Select(point => point!).ToList();
        Assert.Equal([1, 2], metrics.Select(m => m["step"]!.GetValue<int>()));
        Assert.All(
            metrics,
            m =>
                Assert.True(
                    m["milliseconds"]!.GetValue<double>() > 0
                        && m["pictures_per_second"]!.GetValue<double>() > 0
                        && m["peak_mebibytes"]!.GetValue<double>() > 0
                )
        );
        var pictures = report["pictures"]!.AsArray();
        Assert.Equal(expected["pictures"]!.GetValue<int>(), pictures.Count);
        foreach (var picture in pictures)
        {
            Assert.Equal(
                withoutCaption.Contains(picture!["name"]!.GetValue<string>()) ? "blip" : "caption_file",
                picture["caption_source"]!.GetValue<string>()
            );
            Assert.Contains("TOK", picture["caption"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Faces_are_masked_where_face_detection_is_asked_for()
    {
        var id = await CreatedAsync(
            await _host.PostAsync(
                Short.Dataset("faces.zip"),
                "faces.zip",
                Short.Training(2, ("name", "faces"), ("use_face_detection_instead", "true"))
            )
        );
        AssertSucceeded(await _host.EndOfTrainingAsync(id));

        var report = await _host.GetAsync($"v1/trainings/{id}/report");
        Assert.All(report["pictures"]!.AsArray(), p => Assert.Equal("faces", p!["mask_source"]!.GetValue<string>()));
        var page = await _host.Http.GetStringAsync($"v1/trainings/{id}/report?format=html");
        Assert.Contains("data:image/png;base64,", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_draws_pictures_and_the_same_seed_draws_the_same_picture_alone()
    {
        var id = await CreatedAsync(
            await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Short.Training(more: [("name", "draws")]))
        );
        var training = await _host.EndOfTrainingAsync(id);
        AssertSucceeded(training);

        var two = await DrawAsync(Short.Version(training), 2, 7);
        var alone = await DrawAsync(Short.Version(training), 1, two["seeds"]![1]!.GetValue<long>());
        var byBase = await DrawAsync(null, 1, 7);

        Assert.Equal(2, two["output"]!.AsArray().Count);
        Assert.Equal(await PictureAsync(two, 1), await PictureAsync(alone, 0));
        Assert.NotEqual(await PictureAsync(two, 0), await PictureAsync(byBase, 0));
    }

    [Fact]
    public async Task A_check_makes_the_report_and_trains_nothing()
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(Short.Dataset("gizmo.zip")), "input_images", "gizmo.zip" },
            { new StringContent("only-checked"), "name" },
        };
        var check = await _host.EndOfTrainingAsync(await CreatedAsync(await _host.Http.PostAsync("v1/checks", form)));

        AssertSucceeded(check);
        Assert.Null(check["output"]);
        Assert.Contains(
            "12 pictures from gizmo.zip",
            await _host.Http.GetStringAsync(check["urls"]!["report"]!.GetValue<string>() + "?format=html"),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            (await _host.GetAsync("v1/trainings"))["results"]!.AsArray(),
            t => t!["id"]!.GetValue<string>() == check["id"]!.GetValue<string>()
        );
    }

    private async Task<JsonObject> DrawAsync(string? version, int outputs, long seed)
    {
        var body = new JsonObject
        {
            ["version"] = version,
            ["input"] = new JsonObject
            {
                ["prompt"] = "a photo of TOK on the grass",
                ["num_outputs"] = outputs,
                ["seed"] = seed,
                ["width"] = 64,
                ["height"] = 64,
                ["num_inference_steps"] = 3,
            },
        };
        if (version is null)
            body["base"] = "toy";
        var answer = await _host.Http.PostAsync(
            "v1/predictions",
            new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json")
        );
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        var id = JsonNode.Parse(text)!["id"]!.GetValue<string>();
        return await _host.EventuallyAsync(
            async () => await _host.GetAsync($"v1/predictions/{id}") is { } p && p["status"]!.GetValue<string>() == "succeeded" ? p : null,
            TimeSpan.FromMinutes(2), $"prediction {id}", () => _host.GetAsync($"v1/predictions/{id}").Result.ToJsonString());
    }

    private async Task<string> PictureAsync(JsonObject prediction, int index)
    {
        var bytes = await _host.Http.GetByteArrayAsync(prediction["output"]![index]!.GetValue<string>());
        using var picture = SixLabors.ImageSharp.Image.Load<SixLabors.ImageSharp.PixelFormats.Rgb24>(bytes);
        var pixels = new byte[picture.Width * picture.Height * 3];
        picture.CopyPixelDataTo(pixels);
        return Convert.ToHexStringLower(SHA256.HashData(pixels));
    }

    private async Task<string> CreatedAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, $"{(int)answer.StatusCode}: {text}\n{_host.Output}");
        return JsonNode.Parse(text)!["id"]!.GetValue<string>();
    }

    private void AssertSucceeded(JsonObject training) =>
        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{_host.Output}");
}
