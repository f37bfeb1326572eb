using System.Net;
using System.Text.Json.Nodes;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Functions;

/// <summary>A check, its report, changes by hand, and a training that takes its data set.</summary>
[Collection(ProductCollection.Name)]
public sealed class CheckTests(ProductFixture product)
{
    private static readonly byte[] s_picture = File.ReadAllBytes(
        Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png")
    );
    private static readonly byte[] s_archive = IncompleteBaseTests.Tar(
        ("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray()), ("b.png", s_picture), ("b.txt", "TOK on a wall"u8.ToArray()),
        ("c.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0]), ("c.txt", "broken"u8.ToArray()), ("notes.docx", [1, 2, 3]));

    [Fact]
    public async Task A_checks_pictures_are_shown_changed_left_out_and_trained_as_changed_without_another_upload()
    {
        using var made = await product.PostArchiveAsync(
            "v1/checks",
            s_archive,
            "pair.tar",
            ("resolution", "64"),
            ("max_train_steps", "40")
        );
        var check = JsonNode.Parse(await made.Content.ReadAsStringAsync())!;
        Assert.True(made.StatusCode == HttpStatusCode.Created, check.ToJsonString());
        var id = check["id"]!.ToString();
        Assert.Equal("succeeded", (await product.UntilAsync($"v1/checks/{id}", c => c["completed_at"] is not null))["status"]!.ToString());

        var report = await JsonAsync($"v1/checks/{id}/report");
        Assert.Equal(["ready", "ready", "skipped"], report["pictures"]!.AsArray().Select(p => p!["state"]!.ToString()));
        Assert.Equal("notes.docx", report["skipped"]![0]!["name"]!.ToString());
        Assert.True(report["quote"]!["queue_place"]!.GetValue<int>() >= 1);
        Assert.Contains("No worker is there", report["quote"]!["sources"]!["seconds_to_start"]!.ToString(), StringComparison.Ordinal);
        var (first, second) = (report["pictures"]![0]!, report["pictures"]![1]!);
        Assert.Equal(
            ("a photo of TOK", "text_file", "none"),
            (first["caption"]!.ToString(), first["caption_source"]!.ToString(), first["mask_source"]!.ToString())
        );
        using var nobody = product.With(null);
        var thumbnail = await nobody.GetAsync(first["urls"]!["thumbnail"]!.ToString());
        Assert.Equal("image/webp", thumbnail.Content.Headers.ContentType!.MediaType);
        Assert.True(Image.Identify(await thumbnail.Content.ReadAsByteArrayAsync()).Width is > 0 and <= 320);

        // Caption: with the tag that was seen, and not with an old one.
        var captioned = await ChangeAsync(id, 0, new JsonObject { ["caption"] = "TOK in the snow" }, first["etag"]!.ToString());
        var shown = JsonNode.Parse(await captioned.Content.ReadAsStringAsync())!;
        Assert.True(captioned.StatusCode == HttpStatusCode.OK, shown.ToJsonString());
        Assert.Equal(("TOK in the snow", "edited"), (shown["caption"]!.ToString(), shown["caption_source"]!.ToString()));
        Assert.Equal(captioned.Headers.ETag!.ToString(), shown["etag"]!.ToString());
        Assert.Equal(
            412,
            (int)(await ChangeAsync(id, 0, new JsonObject { ["caption"] = "TOK, late" }, first["etag"]!.ToString())).StatusCode
        );

        // Crop: the picture is cut anew, caption and its source stay.
        var size = Math.Min(first["width"]!.GetValue<int>(), first["height"]!.GetValue<int>()) / 2;
        var cropped = JsonNode.Parse(
            await (
                await ChangeAsync(
                    id,
                    0,
                    new JsonObject
                    {
                        ["crop"] = new JsonObject
                        {
                            ["x"] = 3,
                            ["y"] = 5,
                            ["size"] = size,
                        },
                    },
                    shown["etag"]!.ToString()
                )
            ).Content.ReadAsStringAsync()
        )!;
        Assert.Equal($$"""{"x":3,"y":5,"size":{{size}}}""", cropped["crop"]!.ToJsonString());
        Assert.Equal(("TOK in the snow", "edited"), (cropped["caption"]!.ToString(), cropped["caption_source"]!.ToString()));
        Assert.NotEqual(
            await nobody.GetByteArrayAsync(second["urls"]!["picture"]!.ToString()),
            await nobody.GetByteArrayAsync(cropped["urls"]!["picture"]!.ToString())
        );

        // Mask, and out.
        using var image = new Image<L8>(first["width"]!.GetValue<int>(), first["height"]!.GetValue<int>(), new L8(255));
        image[0, 0] = new L8(0);
        var masked = JsonNode.Parse(
            await (
                await ChangeAsync(
                    id,
                    0,
                    new JsonObject { ["mask"] = image.ToBase64String(SixLabors.ImageSharp.Formats.Png.PngFormat.Instance) },
                    null
                )
            ).Content.ReadAsStringAsync()
        )!;
        Assert.Equal("supplied", masked["mask_source"]!.ToString());
        Assert.True(
            JsonNode.Parse(
                await (
                    await ChangeAsync(id, 1, new JsonObject { ["removed"] = true }, second["etag"]!.ToString())
                ).Content.ReadAsStringAsync()
            )!["removed"]!.GetValue<bool>()
        );
        var page = await product.Http.GetStringAsync($"v1/checks/{id}/report?format=html");
        Assert.Contains("1 picture from pair.tar", page, StringComparison.Ordinal);
        Assert.Contains("edited by hand", page, StringComparison.Ordinal);

        var training = JsonNode.Parse(await (await product.PostAsync("v1/trainings", new JsonObject
        {
            ["check"] = id, ["name"] = "of-check", ["input"] = new JsonObject { ["max_train_steps"] = 9 },
        })).Content.ReadAsStringAsync())!;
        Assert.Equal("starting", training["status"]?.ToString() ?? training.ToJsonString());
        var begun = await product.UntilAsync($"v1/trainings/{training["id"]}", t => t["stage"]!.ToString() == "train");
        Assert.Equal((9, 64), (begun["input"]!["max_train_steps"]!.GetValue<int>(), begun["input"]!["resolution"]!.GetValue<int>()));
        var manifest = JsonNode.Parse(
            (
                await product
                    .Storage.GetBlobContainerClient("datasets")
                    .GetBlobClient($"me/{training["id"]}/manifest.json")
                    .DownloadContentAsync()
            ).Value.Content.ToString()
        )!;
        Assert.Equal(["TOK in the snow"], manifest["pictures"]!.AsArray().Select(p => p!["caption"]!.ToString()));
        await product.Http.PostAsync($"v1/trainings/{training["id"]}/cancel", null);

        // Once more with the same data, and not with other pictures' settings.
        var (status, detail) = await ProductFixture.ProblemAsync(
            await product.PostAsync(
                "v1/trainings",
                new JsonObject
                {
                    ["check"] = training["id"]!.ToString(),
                    ["input"] = new JsonObject { ["resolution"] = 128 },
                }
            )
        );
        Assert.Equal(
            (
                422,
                $"Input 'resolution' is 128, but the data set '{training["id"]}' was prepared with 64. Leave it out, or check again with "
                    + "it."
            ),
            (status, detail)
        );
        Assert.Equal(
            201,
            (int)(await product.PostAsync("v1/trainings", new JsonObject { ["check"] = training["id"]!.ToString() })).StatusCode
        );
    }

    [Theory]
    [InlineData("""{"caption": ""}""", "'caption' must be a text of 1 to 2000 characters.")]
    [InlineData("""{"crop": {"x": -1, "y": 0, "size": 50}}""", "'crop' must be {\"x\", \"y\", \"size\"} in whole pixels of the original")]
    [InlineData("""{"crop": {"x": 0, "y": 0, "size": 50000}}""", "'crop' must be")]
    [InlineData("""{"removed": "yes"}""", "'removed' must be true or false.")]
    [InlineData("""{"title": "x"}""", "'title' cannot be changed.")]
    [InlineData("""{"mask": "data:image/png;base64,AAAA"}""", "The mask")]
    public async Task A_change_that_makes_no_sense_is_refused(string change, string reason)
    {
        using var made = await product.PostArchiveAsync(
            "v1/checks",
            IncompleteBaseTests.Tar(("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray())),
            "one.tar",
            ("resolution", "64")
        );
        var id = JsonNode.Parse(await made.Content.ReadAsStringAsync())!["id"]!.ToString();
        await product.UntilAsync($"v1/checks/{id}", c => c["completed_at"] is not null);
        using var answer = await ChangeAsync(id, 0, JsonNode.Parse(change)!.AsObject(), null);
        if (reason == "The mask")
        {
            // A bad mask beside a picture gives a warning in a data set; so it does here.
            Assert.Contains(
                "mask beside it is not used",
                JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["warnings"]!.ToJsonString(),
                StringComparison.Ordinal
            );
            return;
        }
        var (status, detail) = await ProductFixture.ProblemAsync(answer);
        Assert.Equal(422, status);
        Assert.StartsWith(reason, detail, StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> ChangeAsync(string id, int index, JsonObject change, string? tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"v1/checks/{id}/pictures/{index}")
        {
            Content = new StringContent(change.ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        };
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-Match", tag);
        return await product.Http.SendAsync(request);
    }

    private async Task<JsonNode> JsonAsync(string path) => JsonNode.Parse(await product.Http.GetStringAsync(path))!;
}
