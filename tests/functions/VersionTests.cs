using System.Text.Json.Nodes;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>Published versions over HTTP: how they are named, and how their files are served.</summary>
[Collection(ProductCollection.Name)]
public sealed class VersionTests(ProductFixture product)
{
    private static readonly string s_cat = "0123456789" + new string('a', 54);
    private static readonly string s_alike = "0123456789" + new string('b', 54);
    private static readonly string s_dog = "76543210" + new string('c', 56);

    [Fact]
    public async Task The_beginning_of_an_id_names_a_version_where_no_other_begins_so()
    {
        await PublishAsync();
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync("76543210"));
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync(s_dog[..20]));
        Assert.Equal($"me/cat:{s_alike}", await DrawnAsync("0123456789b"));
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync("me/dog:76543210"));
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync("dog:76543210"));
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync(s_dog));
        Assert.Equal($"me/dog:{s_dog}", await DrawnAsync("me/dog"));
    }

    [Theory]
    [InlineData("01234567")]
    [InlineData("me/cat:0123456789")]
    public async Task A_beginning_of_several_ids_is_refused_with_all_of_them(string reference)
    {
        await PublishAsync();
        var (status, detail) = await ProductFixture.ProblemAsync(await PostAsync(reference));
        Assert.Equal(422, status);
        Assert.StartsWith($"Version '{reference}' may be one of 2: ", detail, StringComparison.Ordinal);
        Assert.Contains($"me/cat:{s_cat}", detail, StringComparison.Ordinal);
        Assert.Contains($"me/cat:{s_alike}", detail, StringComparison.Ordinal);
        Assert.EndsWith("Give more characters of its id.", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7654321")] // too short
    [InlineData("ffffffff")]
    [InlineData("me/cat:76543210")] // another model's
    [InlineData("me/none:76543210")]
    public async Task What_names_no_version_is_refused_with_what_would(string reference)
    {
        await PublishAsync();
        var (status, detail) = await ProductFixture.ProblemAsync(await PostAsync(reference));
        Assert.Equal(422, status);
        Assert.StartsWith(
            $"There is no version '{reference}'. Give owner/name:id, owner/name or id (its first 8 characters are enough)",
            detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_report_opens_in_the_browser_under_a_policy_that_runs_and_loads_nothing()
    {
        await PublishAsync();
        await StoreAsync("report.html", "<!doctype html><p>loss");
        using var answer = await product.Http.GetAsync($"v1/models/me/dog/versions/{s_dog}/report.html");

        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Null(answer.Content.Headers.ContentDisposition);
        Assert.Equal(
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            answer.Headers.GetValues("Content-Security-Policy").Single()
        );
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("<!doctype html><p>loss", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("page.html")]
    [InlineData("REPORT.HTML")]
    [InlineData("report.htm")]
    [InlineData("page.svg")]
    [InlineData("trained_model.tar")]
    public async Task No_other_file_is_a_page(string file)
    {
        await PublishAsync();
        await StoreAsync(file, "<script>alert(1)</script>");
        using var answer = await product.Http.GetAsync($"v1/models/me/dog/versions/{s_dog}/{file}");

        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            ("attachment", file),
            (answer.Content.Headers.ContentDisposition!.DispositionType, answer.Content.Headers.ContentDisposition.FileName)
        );
    }

    private async Task PublishAsync()
    {
        foreach (var (version, name) in new[] { (s_cat, "cat"), (s_alike, "cat"), (s_dog, "dog") })
        {
            await new VersionStore(new BlobStore(product.Storage)).MakeVisibleAsync(
                new PublishedVersion(version, "me", name, "toy", "aaaabbbbccccddddeeeeffffgg", DateTimeOffset.UnixEpoch),
                CancellationToken.None
            );
        }
    }

    private Task StoreAsync(string file, string text) =>
        product
            .Storage.GetBlobContainerClient("models")
            .GetBlobClient($"me/dog/versions/{s_dog}/{file}")
            .UploadAsync(BinaryData.FromString(text), overwrite: true);

    private async Task<string> DrawnAsync(string reference)
    {
        using var answer = await PostAsync(reference);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 201, text);
        var prediction = JsonNode.Parse(text)!;
        return $"{prediction["model"]}:{prediction["version"]}";
    }

    private Task<HttpResponseMessage> PostAsync(string reference) =>
        product.PostAsync("v1/predictions", new JsonObject { ["version"] = reference, ["input"] = new JsonObject { ["prompt"] = "x" } });
}
