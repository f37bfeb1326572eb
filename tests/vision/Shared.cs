using System.Text.Json;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Tests.Vision;

/// <summary>What all tests of this room share: the toy models, opened once, and ways to read goldens.</summary>
internal static class Shared
{
    public static VisionModels Models { get; } = new(TestPaths.Models, new VisionOptions());

    public static PictureLoader Loader { get; } = new(new PictureLimits());

    public static JsonElement Json(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    public static PixelGrid Picture(params string[] path)
    {
        using var stream = File.OpenRead(Path.Combine(path));
        return Loader.Load(stream, Path.GetFileName(path[^1])).Pixels;
    }

    public static PixelGrid Golden(string picture) => Picture(TestPaths.Golden("vision", picture));

    public static GoldenTensors GoldenTensors(string name) => new(TestPaths.Golden("vision", name + ".safetensors"));

    /// <summary>|a - b| &lt;= tolerance + tolerance * |b| everywhere.</summary>
    public static void AssertClose(string what, ReadOnlySpan<float> expected, ReadOnlySpan<float> found, float tolerance = 1e-4f)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(found[i] - expected[i]) <= tolerance + tolerance * Math.Abs(expected[i])))
                Assert.Fail($"{what} [{i}]: expected {expected[i]}, found {found[i]}.");
        }
    }

    /// <summary>Mean absolute difference in levels of 255, over all channels.</summary>
    public static double MeanDifference(PixelGrid a, PixelGrid b)
    {
        Assert.Equal((a.Width, a.Height, a.Channels), (b.Width, b.Height, b.Channels));
        return a.Data.Zip(b.Data, (x, y) => Math.Abs(x - y)).Average();
    }

    public static int LargestDifference(PixelGrid a, PixelGrid b)
    {
        Assert.Equal((a.Width, a.Height, a.Channels), (b.Width, b.Height, b.Channels));
        return a.Data.Zip(b.Data, (x, y) => Math.Abs(x - y)).Max();
    }
}
