using System.Text.Json;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Tests.Polyfills;

/// <summary>Every picture named by pictures.json, prepared as the product does: orientation applied, transparency over white.</summary>
public sealed class PictureFixtureTests
{
    public static TheoryData<string> Decodes() => Names("decodes");

    public static TheoryData<string> Refused() => Names("refused");

    [Theory]
    [MemberData(nameof(Decodes))]
    public void A_fixture_decodes_to_its_expected_picture(string file)
    {
        var entry = Entry("decodes", file);
        using var picture = Prepare(TestPaths.Fixture("pictures", file));
        Assert.Equal((entry.GetProperty("width").GetInt32(), entry.GetProperty("height").GetInt32()), (picture.Width, picture.Height));

        using var expected = Image.Load<Rgb24>(TestPaths.Fixture("pictures", file + ".expected.png"));
        var difference = Pictures.MeanDifference(picture, expected);
        var mean = Pictures.Mean(picture);
        var tolerance = entry.GetProperty("tolerance").GetDouble();
        for (var c = 0; c < 3; c++)
        {
            Assert.True(difference[c] <= tolerance, $"{file}: channel {c} differs by {difference[c]:F3} levels from the expected picture, tolerance {tolerance}.");
            Assert.InRange(mean[c], entry.GetProperty("mean")[c].GetDouble() - tolerance, entry.GetProperty("mean")[c].GetDouble() + tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Decodes))]
    public void A_fixture_has_the_same_size_identified_as_loaded(string file)
    {
        var path = TestPaths.Fixture("pictures", file);
        var info = Image.Identify(path);
        using var loaded = Image.Load<Rgb24>(path);
        Assert.Equal(loaded.Size, info.Size);
        Assert.Equal(loaded.Metadata.DecodedImageFormat, info.Metadata.DecodedImageFormat);
    }

    /// <remarks>
    /// The real library shows what there is of a JPEG that is cut off: such a file must be refused by looking for its end marker.
    /// Everything else raises an <see cref="ImageFormatException"/>.
    /// </remarks>
    [Theory]
    [MemberData(nameof(Refused))]
    public void A_refused_fixture_raises_an_image_format_exception_or_is_a_jpeg_without_its_end(string file)
    {
        var bytes = File.ReadAllBytes(TestPaths.Fixture("pictures", file));
        if (bytes is [0xFF, 0xD8, 0xFF, ..])
        {
            using var partial = Image.Load<Rgb24>(bytes);
            Assert.True(bytes.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) < 0, $"{file} has an end marker: why is it refused?");
            return;
        }
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.ThrowsAny<ImageFormatException>(() => Image.Load<Rgb24>(new MemoryStream(bytes)));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 8 << 20);
    }

    private static Image<Rgb24> Prepare(string path)
    {
        using var picture = Image.Load<Rgba32>(path);
        picture.Mutate(image => image.AutoOrient().BackgroundColor(Color.White));
        return picture.CloneAs<Rgb24>();
    }

    private static JsonElement Entry(string list, string file) =>
        Json().GetProperty(list).EnumerateArray().Single(entry => entry.GetProperty("file").GetString() == file);

    private static TheoryData<string> Names(string list) =>
        new(Json().GetProperty(list).EnumerateArray().Select(entry => entry.GetProperty("file").GetString()!));

    private static JsonElement Json() => JsonDocument.Parse(File.ReadAllText(TestPaths.Fixture("pictures.json"))).RootElement;
}
