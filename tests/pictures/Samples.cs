using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>Little pictures to encode.</summary>
internal static class Samples
{
    /// <summary>Smooth, with some noise: every channel differs, no side is a multiple of a block.</summary>
    public static Image<Rgb24> Rgb(int width, int height)
    {
        var random = new Random(11);
        var image = new Image<Rgb24>(width, height);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.GetRowSpan(y);
                for (var x = 0; x < row.Length; x++)
                    row[x] = new Rgb24((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)random.Next(90, 120));
            }
        });
        return image;
    }

    /// <summary>The same with an opacity that grows to the right.</summary>
    public static Image<Rgba32> Transparent(int width, int height)
    {
        using var opaque = Rgb(width, height);
        var image = opaque.CloneAs<Rgba32>();
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.GetRowSpan(y);
                for (var x = 0; x < row.Length; x++)
                    row[x].A = (byte)(x * 255 / Math.Max(1, width - 1));
            }
        });
        return image;
    }

    public static byte[] Encode(Image image, IImageEncoder encoder)
    {
        using var stream = new MemoryStream();
        image.Save(stream, encoder);
        return stream.ToArray();
    }
}
