using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>
/// What comes out is what ImageSharp's own loading of the whole file gives: nothing is lost by showing it parts only and taking rows as
/// they come.
/// </summary>
public sealed class DecodingTests
{
    public static TheoryData<string> Encoders => [.. s_encoders.Keys];

    private static readonly Dictionary<string, IImageEncoder> s_encoders = new()
    {
        ["jpeg 4:4:4"] = new JpegEncoder { Quality = 95, ColorType = JpegColorType.YCbCrRatio444 },
        ["jpeg 4:2:0"] = new JpegEncoder { Quality = 60, ColorType = JpegColorType.YCbCrRatio420 },
        ["jpeg grey"] = new JpegEncoder { ColorType = JpegColorType.Luminance },
        ["webp lossy"] = new WebpEncoder { FileFormat = WebpFileFormatType.Lossy, Quality = 70 },
        ["webp lossless"] = new WebpEncoder { FileFormat = WebpFileFormatType.Lossless },
        ["png"] = new PngEncoder(),
        ["png interlaced"] = new PngEncoder { InterlaceMethod = PngInterlaceMode.Adam7 },
        ["png 16"] = new PngEncoder { BitDepth = PngBitDepth.Bit16, ColorType = PngColorType.Rgb },
        ["png palette"] = new PngEncoder { ColorType = PngColorType.Palette, BitDepth = PngBitDepth.Bit4 },
        ["png palette interlaced"] = new PngEncoder { ColorType = PngColorType.Palette, InterlaceMethod = PngInterlaceMode.Adam7 },
        ["bmp 24"] = new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel24 },
        ["bmp 16"] = new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel16 },
        ["bmp 8"] = new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel8 },
        ["bmp 4"] = new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel4 },
        ["bmp 1"] = new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel1 },
        ["gif"] = new GifEncoder(),
    };

    [Theory, MemberData(nameof(Encoders))]
    public void A_picture_is_what_ImageSharp_decodes_whole(string encoder)
    {
        using var image = Samples.Rgb(131, 77);
        var file = Samples.Encode(image, s_encoders[encoder]);
        using var expected = Image.Load<Rgb24>(file);
        var loaded = Shared.Loader.Load(file, "a");
        Assert.Equal(0, Shared.LargestDifference(PixelGrid.From(expected), loaded.Pixels));
        Assert.False(loaded.HasTransparency);
    }

    [Theory]
    [InlineData("webp lossy")]
    [InlineData("webp lossless")]
    [InlineData("png")]
    [InlineData("png interlaced")]
    public void Opacity_is_what_ImageSharp_decodes(string encoder)
    {
        using var image = Samples.Transparent(131, 77);
        var file = Samples.Encode(image, s_encoders[encoder]);
        using var expected = Image.Load<Rgba32>(file);
        var pixels = new Rgba32[131 * 77];
        expected.CopyPixelDataTo(pixels);
        var loaded = Shared.Loader.Load(file, "a");
        Assert.True(loaded.HasTransparency);
        Assert.Equal(
            [.. pixels.SelectMany(p => new[] { p.R, p.G, p.B }.Select(v => (byte)((v * p.A + 255 * (255 - p.A) + 127) / 255)))],
            loaded.Pixels.Data
        );
    }

    [Theory]
    [InlineData("jpeg 4:2:0")]
    [InlineData("png")]
    [InlineData("webp lossy")]
    public void Shrunk_while_its_rows_come_a_picture_is_the_whole_one_resized(string encoder)
    {
        using var image = Samples.Rgb(331, 177);
        var file = Samples.Encode(image, s_encoders[encoder]);
        var shrunk = Shared.Loader.Load(file, "a", maxSide: 100).Pixels;
        Assert.Equal((100, 53), (shrunk.Width, shrunk.Height));
        Assert.Equal(
            0,
            Shared.LargestDifference(PictureResizer.Resize(Shared.Loader.Load(file, "a").Pixels, 100, 53, ResizeFilter.Bilinear), shrunk)
        );
    }

    /// <summary>The stored picture is red on the left: where red comes out, or that sides change places, tells the orientation.</summary>
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 2, 0)]
    [InlineData(3, 2, 1)]
    [InlineData(4, 0, 1)]
    [InlineData(5, 0, 0)]
    [InlineData(6, 1, 0)]
    [InlineData(7, 1, 2)]
    [InlineData(8, 0, 2)]
    public void Orientation_is_found_in_png_and_webp_too(int orientation, int redX, int redY)
    {
        using var image = new Image<Rgb24>(3, 2, new Rgb24(0, 0, 255));
        image[0, 0] = new Rgb24(255, 0, 0);
        image.Metadata.ExifProfile = new ExifProfile();
        image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)orientation);
        foreach (var encoder in new IImageEncoder[] { new PngEncoder(), new WebpEncoder { FileFormat = WebpFileFormatType.Lossless } })
        {
            var loaded = Shared.Loader.Load(Samples.Encode(image, encoder), "a");
            Assert.Equal(orientation >= 5 ? (2, 3) : (3, 2), (loaded.Width, loaded.Height));
            Assert.Equal([255, 0, 0], loaded.Pixels.Data.AsSpan((redY * loaded.Width + redX) * 3, 3).ToArray());
            Assert.Equal(1, loaded.Pixels.Data.Chunk(3).Count(pixel => pixel[0] == 255));
        }
    }

    [Fact]
    public void The_first_frame_of_an_animated_webp_that_fills_it_is_read()
    {
        using var image = Samples.Rgb(20, 10);
        var still = Samples.Encode(image, s_encoders["webp lossless"]);
        using var expected = Image.Load<Rgb24>(still);
        var loaded = Shared.Loader.Load(AnimatedWebp.Of(still[12..], 20, 10, frames: 3), "a.webp");
        Assert.Equal(3, loaded.Frames);
        Assert.Equal(0, Shared.LargestDifference(PixelGrid.From(expected), loaded.Pixels));
        var refused = Assert.Throws<PictureRefusedException>(() =>
            Shared.Loader.Load(AnimatedWebp.Of(still[12..], 24, 10, frames: 3), "a.webp")
        );
        Assert.Equal(
            "a.webp: this is an animated WebP whose first frame does not fill it, which is not read; save it as PNG or JPEG.",
            refused.Message
        );
    }
}
