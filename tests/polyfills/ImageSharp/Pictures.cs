using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Polyfills;

/// <summary>Measures and makes pictures for the tests.</summary>
internal static class Pictures
{
    /// <summary>False where these tests run against the real package, which lets inner exceptions out of some broken files.</summary>
    public static bool IsPolyfill { get; } = typeof(Image).Assembly.GetType("SixLabors.ImageSharp.Native.Shim") is not null;

    /// <summary>Mean absolute difference of each channel, in levels of 255.</summary>
    public static double[] MeanDifference(Image<Rgb24> a, Image<Rgb24> b)
    {
        Assert.Equal(b.Size, a.Size);
        var sums = new double[3];
        a.ProcessPixelRows(b, (left, right) =>
        {
            for (var y = 0; y < left.Height; y++)
            {
                var (one, other) = (left.GetRowSpan(y).ToArray(), right.GetRowSpan(y).ToArray());
                for (var x = 0; x < one.Length; x++)
                {
                    sums[0] += Math.Abs(one[x].R - other[x].R);
                    sums[1] += Math.Abs(one[x].G - other[x].G);
                    sums[2] += Math.Abs(one[x].B - other[x].B);
                }
            }
        });
        return [.. sums.Select(sum => sum / a.Width / a.Height)];
    }

    public static double[] Mean(Image<Rgb24> picture)
    {
        using var black = new Image<Rgb24>(picture.Width, picture.Height);
        return MeanDifference(picture, black);
    }

    /// <summary>Smooth colours with an edge; no symmetry.</summary>
    public static Image<Rgb24> Sample(int width, int height)
    {
        var image = new Image<Rgb24>(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                image[x, y] = new Rgb24((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)(x > y ? 200 : 30));
        }
        return image;
    }
}
