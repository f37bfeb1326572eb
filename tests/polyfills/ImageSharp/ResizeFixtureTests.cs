using System.Text.Json;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace Sdxl.Tests.Polyfills;

/// <summary>Our filters against Pillow's, which antialias when shrinking.</summary>
public sealed class ResizeFixtureTests
{
    private const double ToleranceLevels = 1.0; // Pillow rounds to bytes between its passes

    public static TheoryData<string> Cases() => new(Json().GetProperty("cases").EnumerateArray().Select(entry => entry.GetProperty("file").GetString()!));

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_fixture_resizes_as_Pillow_does(string file)
    {
        var entry = Json().GetProperty("cases").EnumerateArray().Single(one => one.GetProperty("file").GetString() == file);
        var sampler = Sampler(entry.GetProperty("filter").GetString()!);
        using var source = Image.Load<Rgb24>(TestPaths.Fixture("resize", Json().GetProperty("source").GetString()!));
        using var expected = Image.Load<Rgb24>(TestPaths.Fixture("resize", file));
        using var resized = source.Clone(image => image.Resize(entry.GetProperty("width").GetInt32(), entry.GetProperty("height").GetInt32(), sampler));
        Assert.All(Pictures.MeanDifference(resized, expected), difference =>
            Assert.True(difference <= ToleranceLevels, $"{file}: differs by {difference:F3} levels, tolerance {ToleranceLevels}."));
    }

    private static IResampler Sampler(string filter) => filter switch
    {
        "bicubic" => KnownResamplers.Bicubic,
        "bilinear" => KnownResamplers.Triangle,
        "lanczos" => KnownResamplers.Lanczos3,
        "box" => KnownResamplers.Box,
        "nearest" => KnownResamplers.NearestNeighbor,
        _ => throw new NotSupportedException($"resize.json: filter '{filter}'. Known: bicubic, bilinear, lanczos, box, nearest."),
    };

    private static JsonElement Json() => JsonDocument.Parse(File.ReadAllText(TestPaths.Fixture("resize.json"))).RootElement;
}
