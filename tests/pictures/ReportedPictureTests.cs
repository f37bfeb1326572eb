using System.IO.Compression;
using Sdxl.Core.Archives;
using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

/// <summary>Pictures after public bug reports of people who train (fixtures/reports): each with what must come of it.</summary>
public sealed class ReportedPictureTests
{
    private static List<(string Name, byte[] File)> Entries(string archive)
    {
        using var zip = ZipFile.OpenRead(TestPaths.Fixture("reports", archive));
        return [.. zip.Entries.Where(entry => entry.Length > 0).OrderBy(entry => entry.FullName, StringComparer.Ordinal).Select(entry =>
        {
            using var stream = entry.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return (entry.Name, bytes.ToArray());
        })];
    }

    private static LoadedPicture Load((string Name, byte[] File) entry) => Shared.Loader.Load(entry.File, entry.Name);

    [Fact]
    public void P01_one_scene_looks_alike_under_every_profile()
    {
        var loaded = Entries("p01-colour-profiles.zip").ConvertAll(Load);
        Assert.All(loaded, picture => Assert.Null(picture.ColourWarning));
        var reference = loaded[0].Pixels.Data;
        Assert.All(loaded.Skip(1), picture =>
            Assert.InRange(picture.Pixels.Data.Zip(reference, (found, expected) => Math.Abs(found - expected)).Average(), 0, 4));
    }

    [Fact]
    public void P03_every_picture_stands_upright()
    {
        var entries = Entries("p03-orientation.zip");
        var upright = Load(entries[0]).Pixels;
        foreach (var entry in entries.Skip(1))
        {
            var found = Load(entry).Pixels;
            Assert.Equal((entry.Name, upright.Width, upright.Height), (entry.Name, found.Width, found.Height));
            Assert.InRange(found.Data.Zip(upright.Data, (a, b) => Math.Abs(a - b)).Average(), 0,
                8); // JPEG's and WebP's losses at the arrow's edges
        }
    }

    [Fact]
    public void P04_what_is_no_picture_here_is_named_by_what_it_is()
    {
        using var archive = ArchiveReader.Open(File.OpenRead(TestPaths.Fixture("reports", "p04-names-lie.zip")), "p04-names-lie.zip");
        Assert.Equal(6, archive.Contents.Pictures.Count);
        string Warning(string name) => archive.Contents.Skipped
            .Single(skipped => skipped.Name.EndsWith(name, StringComparison.Ordinal)).Reason;
        Assert.Contains("It is a HEIC picture", Warning("IMG_0006.jpg"), StringComparison.Ordinal);
        Assert.Contains("It is an AVIF picture", Warning("IMG_0007.png"), StringComparison.Ordinal);
        Assert.Contains("is an HTML page", Warning("IMG_0009.jpg"), StringComparison.Ordinal);
        foreach (var (name, kind) in new[] { ("IMG_0006.jpg", "a HEIC picture"), ("IMG_0007.png", "an AVIF picture") })
        {
            Assert.Contains("save it as JPEG or PNG", Warning(name), StringComparison.Ordinal);
            // The same alone, as a prediction's picture.
            var entry = Entries("p04-names-lie.zip").Single(e => e.Name == name);
            Assert.Equal($"{name}: this is {kind}, which is not read; save it as PNG or JPEG.",
                Assert.Throws<PictureRefusedException>(() => Load(entry)).Message);
        }
    }

    [Fact]
    public void P05_pictures_of_which_nothing_is_left_are_told_from_others()
    {
        var loaded = Entries("p05-alpha-and-depth.zip").ToDictionary(entry => entry.Name, Load);
        Assert.Equal(
            ["5-white-on-transparent.png", "6-all-transparent.png"],
            loaded.Where(pair => pair.Value is { IsAllWhite: true, HasTransparency: true }).Select(pair => pair.Key)
                .Order(StringComparer.Ordinal));
        Assert.All(loaded["4-rgb-colour-key.png"].Pixels.Data.Chunk(3), pixel => Assert.False(pixel is [255, 0, 255]));
        Assert.InRange(loaded["7-grey16-dark.png"].Pixels.Data.Max(), 1, 200);
    }
}
