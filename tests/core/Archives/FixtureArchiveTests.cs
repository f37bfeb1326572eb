using System.Text.Json;
using Sdxl.Core.Archives;
using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Archives;

/// <summary>The data sets of the fixtures folder, whichever they are, against datasets.json beside them.</summary>
public sealed class FixtureArchiveTests
{
    public static TheoryData<string> Names
    {
        get
        {
            using var json = JsonDocument.Parse(File.ReadAllText(TestPaths.Fixture("datasets.json")));
            return new TheoryData<string>(json.RootElement.EnumerateObject().Select(property => property.Name));
        }
    }

    private static JsonElement Expected(string name) =>
        JsonDocument.Parse(File.ReadAllText(TestPaths.Fixture("datasets.json"))).RootElement.GetProperty(name);

    [Theory]
    [MemberData(nameof(Names))]
    public void Fixture_archive_holds_as_many_pictures_as_datasets_json_says(string name)
    {
        using var file = File.OpenRead(TestPaths.Fixture("datasets", name));
        using var archive = ArchiveReader.Open(file, name);
        Assert.Equal(Expected(name).GetProperty("pictures").GetInt32(), archive.Contents.Pictures.Count);
        Assert.Empty(archive.Contents.Skipped);
        Assert.Empty(archive.Contents.Warnings);
        foreach (var picture in archive.Contents.Pictures)
        {
            using var stream = archive.Open(picture.Path);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            Assert.Equal(picture.Bytes, copy.Length);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Fixture_captions_join_by_name_and_leave_out_only_what_datasets_json_says(string name)
    {
        using var file = File.OpenRead(TestPaths.Fixture("datasets", name));
        using var archive = ArchiveReader.Open(file, name);
        var paths = archive.Contents.Pictures.Select(picture => picture.Path).ToList();
        var pairing = CaptionPairing.Join(
            archive.Contents.CaptionFilePaths.Select(path => CaptionFile.Read(archive.ReadSmall(path), path, paths)),
            paths
        );
        var expected = Expected(name);
        Assert.Empty(pairing.Warnings);
        Assert.Equal(expected.TryGetProperty("captions", out var captions) ? captions.GetInt32() : 0, pairing.Captions.Count);
        if (expected.TryGetProperty("without_caption", out var without))
            Assert.Equal(
                without.EnumerateArray().Select(element => element.GetString()),
                pairing.Uncaptioned.Select(path => path.Split('/')[^1])
            );
    }
}
