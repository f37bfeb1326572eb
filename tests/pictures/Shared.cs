using System.Text.Json;
using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

/// <summary>What the tests of this room share.</summary>
internal static class Shared
{
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

    public static int LargestDifference(PixelGrid a, PixelGrid b)
    {
        Assert.Equal((a.Width, a.Height, a.Channels), (b.Width, b.Height, b.Channels));
        return a.Data.Zip(b.Data, (x, y) => Math.Abs(x - y)).Max();
    }
}
