using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;


namespace Sdxl.EndToEnd.Tests;

/// <summary>
/// Each bad input gets one clear sentence, over HTTP as problem+json and for the blob way as a failed record; nothing appears under
/// models/.
/// </summary>
[Collection(SharedHostCollection.Name)]
public sealed class BadInputTests(SharedHost shared)
{
    private readonly LocalHostProcess _host = shared.Host;

    public static TheoryData<string, int, string> BadArchives => new()
    {
        { "not an archive", 400, "not" },
        { "nothing", 400, "empty" },
        { "empty zip", 422, "picture" },
        { "no picture", 422, "picture" },
        { "encrypted", 422, "encrypted" },
        { "traversal", 400, ".." },
        { "link", 400, "link" },
        { "bomb", 413, "bomb" },
        { "huge picture", 422, "60,000 x 60,000" },
        { "only a truncated picture", 422, "truncated.jpg" },
    };

    [Theory]
    [MemberData(nameof(BadArchives))]
    public async Task A_bad_archive_is_refused_over_http_with_one_clear_sentence(string kind, int status, string says)
    {
        var answer = await _host.PostAsync(Archive(kind), "my pictures.zip", Short.Training(2, ("name", "bad")));

        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains(says, JsonNode.Parse(text)!["detail"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>An empty blob is no upload yet: tools make one and fill it a moment later.</summary>
    public static TheoryData<string, int, string> BadUploads => Without("nothing");

    private static TheoryData<string, int, string> Without(string kind)
    {
        var rest = new TheoryData<string, int, string>();
        foreach (var row in BadArchives.Where(row => (string)row[0] != kind))
            rest.Add((string)row[0], (int)row[1], (string)row[2]);
        return rest;
    }

    [Theory]
    [MemberData(nameof(BadUploads))]
    public async Task A_bad_archive_dropped_into_the_container_becomes_a_failed_training_with_the_same_sentence(
        string kind,
        int status,
        string says
    )
    {
        var name = "bad-" + kind.Replace(' ', '-');
        await _host.UploadAsync($"{name}.zip", Archive(kind), Short.Training(2));

        var training = await _host.EndOfTrainingAsync(await _host.TrainingOfAsync(name));

        Assert.Equal("failed", training["status"]!.GetValue<string>());
        Assert.Contains(says, training["error"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase);
        // The same sentence that HTTP answers, apart from the archive's name.
        var answer = await _host.PostAsync(Archive(kind), $"{name}.zip", Short.Training(2, ("name", "bad")));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(
            JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.GetValue<string>(),
            training["error"]!.GetValue<string>()
        );
        await foreach (
            var blob in _host
                .Blobs.GetBlobContainerClient("models")
                .GetBlobsAsync(BlobTraits.None, BlobStates.None, $"me/{name}/", CancellationToken.None)
        )
            Assert.Fail($"{blob.Name} is visible although the training failed.");
    }

    [Fact]
    public async Task One_content_starts_one_training_whatever_else_happens_to_the_blob()
    {
        var container = _host.Blobs.GetBlobContainerClient("uploads");
        var blob = container.GetBlobClient("once.zip");
        await blob.UploadAsync(new BinaryData(""));
        await blob.UploadAsync(new BinaryData(Archive("no picture")), overwrite: true);
        var first = await _host.EndOfTrainingAsync(await _host.TrainingOfAsync("once"));
        Assert.Equal("failed", first["status"]!.GetValue<string>());

        await blob.SetMetadataAsync(new Dictionary<string, string> { ["reviewed"] = "yes" }); // a new ETag, and an event
        await blob.UploadAsync(new BinaryData(Archive("traversal")), overwrite: true);        // another content: a training of its own

        var list = await _host.EventuallyAsync(
            async () =>
                (await _host.GetAsync("v1/trainings"))["results"]!
                    .AsArray()
                    .Where(t => t!["destination"]!.GetValue<string>() == "me/once")
                    .ToList()
                    is { Count: > 1 } found
                    ? found
                    : null,
            TimeSpan.FromSeconds(60),
            "the second training of once.zip"
        );
        Assert.Equal(2, list.Count);
    }

    [Fact]
    public async Task All_bad_inputs_are_named_at_once()
    {
        var answer = await _host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", new Dictionary<string, string>
        {
            ["resolution"] = "37",
            ["max_train_stps"] = "5",
            ["token_string"] = "a:b",
        });

        Assert.Equal(422, (int)answer.StatusCode);
        var detail = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]!.GetValue<string>();
        Assert.Contains("'resolution' is 37", detail, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'max_train_steps'?", detail, StringComparison.Ordinal);
        Assert.Contains("'token_string' is 'a:b'", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_broken_picture_among_good_ones_and_captions_for_missing_ones_are_only_warnings()
    {
        var zip = Zip(archive =>
        {
            Add(archive, "good.png", File.ReadAllBytes(Short.Fixture("pictures", "plain.png")));
            Add(archive, "truncated.jpg", File.ReadAllBytes(Short.Fixture("pictures", "truncated.jpg")));
            Add(archive, "captions.csv", Encoding.UTF8.GetBytes("caption,image_file\nTOK here,good.png\nTOK gone,nowhere.png\n"));
        });
        var answer = await _host.PostAsync(zip, "mixed.zip", Short.Training(2, ("name", "mixed")));
        var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();

        var training = await _host.EndOfTrainingAsync(id);

        Assert.True(training["status"]!.GetValue<string>() == "succeeded", training.ToJsonString());
        var warnings = string.Join('\n', training["warnings"]!.AsArray());
        Assert.Contains("truncated.jpg", warnings, StringComparison.Ordinal);
        Assert.Contains("nowhere.png", warnings, StringComparison.Ordinal);
    }

    private static byte[] Archive(string kind) => kind switch
    {
        "not an archive" => Encoding.UTF8.GetBytes("just some text that is no archive at all"),
        "nothing" => [],
        "empty zip" => Zip(_ => { }),
        "no picture" => Zip(a => Add(a, "readme.md", Encoding.UTF8.GetBytes("hello"))),
        "encrypted" => Encrypted(Zip(a => Add(a, "a.png", File.ReadAllBytes(Short.Fixture("pictures", "plain.png"))))),
        "traversal" => Zip(a => Add(a, "../../evil.png", File.ReadAllBytes(Short.Fixture("pictures", "plain.png")))),
        "link" => TarWithLink(),
        "bomb" => Zip(a => Add(a, "a.png", new byte[200 << 20])),
        "huge picture" => Zip(a => Add(a, "huge.png", File.ReadAllBytes(Short.Fixture("pictures", "bomb.png")))),
        "only a truncated picture" => Zip(a => Add(a, "truncated.jpg", File.ReadAllBytes(Short.Fixture("pictures", "truncated.jpg")))),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such archive"),
    };

    private static byte[] Zip(Action<ZipArchive> fill)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            fill(archive);
        return stream.ToArray();
    }

    private static void Add(ZipArchive archive, string name, byte[] bytes)
    {
        using var entry = archive.CreateEntry(name).Open();
        entry.Write(bytes);
    }

    /// <summary>Sets bit 0 of the general purpose flags in local and central headers: "this entry is encrypted".</summary>
    private static byte[] Encrypted(byte[] zip)
    {
        for (var i = 0; i + 10 < zip.Length; i++)
        {
            if (zip.AsSpan(i, 4).SequenceEqual("PK\x03\x04"u8))
                zip[i + 6] |= 1;
            else if (zip.AsSpan(i, 4).SequenceEqual("PK\x01\x02"u8))
                zip[i + 8] |= 1;
        }
        return zip;
    }

    private static byte[] TarWithLink()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "a.png") { LinkName = "/etc/passwd" });
        return stream.ToArray();
    }
}
