using Sdxl.Pictures;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.Formats.Webp;

namespace Sdxl.Tests.Fuzz;

/// <summary>Pictures of strangers, format by format, as pictures and as masks.</summary>
public sealed class PictureFuzzTests
{
    private const long MaxMebibytes = 2 * 640; // of one picture, whatever its format; it is read twice

    private static readonly PictureLoader s_loader = new(new PictureLimits());

    [Fact]
    public Task Png() =>
        Over(
            TestPictures.Png(),
            TestPictures.Png(PngColorType.Palette),
            TestPictures.Png(PngColorType.RgbWithAlpha, PngInterlaceMode.Adam7),
            TestPictures.Png(PngColorType.Grayscale)
        );

    [Fact]
    public Task Jpeg() =>
        Over(TestPictures.Jpeg(), TestPictures.Jpeg(JpegColorType.Luminance), TestPictures.Jpeg(JpegColorType.YCbCrRatio444));

    [Fact]
    public Task Gif() => Over(TestPictures.Gif());

    [Fact]
    public Task Bmp() =>
        Over(
            TestPictures.Bmp(BmpBitsPerPixel.Pixel8),
            TestPictures.Bmp(BmpBitsPerPixel.Pixel24),
            TestPictures.Bmp(BmpBitsPerPixel.Pixel32)
        );

    [Fact]
    public Task Tiff() =>
        Over(
            TestPictures.Tiff(TiffCompression.None),
            TestPictures.Tiff(TiffCompression.Lzw),
            TestPictures.Tiff(TiffCompression.Deflate),
            TestPictures.Tiff(TiffCompression.PackBits)
        );

    [Fact]
    public Task Webp() => Over(TestPictures.Webp(WebpFileFormatType.Lossless), TestPictures.Webp(WebpFileFormatType.Lossy));

    private static Task Over(params byte[][] good) => FuzzRun.Over(
        good,
        bytes =>
        {
            s_loader.Load(bytes, "mutant", 512);
            s_loader.LoadMask(bytes, "mutant", 512);
        },
        MaxMebibytes, typeof(PictureRefusedException));
}
