using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Fuzz;

/// <summary>Small good pictures of every format that is read, with an orientation where the format has one.</summary>
internal static class TestPictures
{
    public static byte[] Png(PngColorType colours = PngColorType.Rgb, PngInterlaceMode interlace = PngInterlaceMode.None) =>
        Saved(new PngEncoder { ColorType = colours, InterlaceMethod = interlace });

    public static byte[] Jpeg(JpegColorType colours = JpegColorType.YCbCrRatio420) => Saved(new JpegEncoder { ColorType = colours });

    public static byte[] Gif() => Saved(new GifEncoder());

    public static byte[] Bmp(BmpBitsPerPixel bits) => Saved(new BmpEncoder { BitsPerPixel = bits });

    public static byte[] Tiff(TiffCompression compression) => Saved(new TiffEncoder { Compression = compression });

    public static byte[] Webp(WebpFileFormatType kind) => Saved(new WebpEncoder { FileFormat = kind });

    private static byte[] Saved(IImageEncoder encoder)
    {
        using var picture = new Image<Rgb24>(37, 22);
        for (var y = 0; y < picture.Height; y++)
        {
            for (var x = 0; x < picture.Width; x++)
                picture[x, y] = new Rgb24((byte)(x * 7), (byte)(y * 11), (byte)(x * y));
        }
        picture.Metadata.ExifProfile = new ExifProfile();
        picture.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)6);
        using var stream = new MemoryStream();
        picture.Save(stream, encoder);
        return stream.ToArray();
    }
}
