using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>Which TIFFs are read, pixel by pixel, and which are refused by name.</summary>
public sealed class TiffTests
{
    [Theory]
    [InlineData(TiffCompression.None, TiffPredictor.None)]
    [InlineData(TiffCompression.Lzw, TiffPredictor.None)]
    [InlineData(TiffCompression.Lzw, TiffPredictor.Horizontal)]
    [InlineData(TiffCompression.Deflate, TiffPredictor.None)]
    [InlineData(TiffCompression.Deflate, TiffPredictor.Horizontal)]
    [InlineData(TiffCompression.PackBits, TiffPredictor.None)]
    public void Every_packing_gives_back_the_pixels(TiffCompression compression, TiffPredictor predictor)
    {
        using var image = Samples.Rgb(131, 77);
        foreach (
            var encoder in new[] { TiffBitsPerPixel.Bit24, TiffBitsPerPixel.Bit8 }.Select(bits => new TiffEncoder
            {
                Compression = compression,
                HorizontalPredictor = predictor,
                BitsPerPixel = bits,
            })
        )
        {
            var file = Samples.Encode(image, encoder);
            using var expected = Image.Load<Rgb24>(file);
            Assert.Equal(0, Shared.LargestDifference(PixelGrid.From(expected), Shared.Loader.Load(file, "a.tiff").Pixels));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sixteen_bits_and_both_byte_orders_and_planes_are_read(bool bigEndian)
    {
        byte[] red = Wide(0xC864, 0x0A00), green = Wide(0, 0x1400), blue = Wide(0x6400, 0x1E00);
        byte[] chunky = [.. red[..2], .. green[..2], .. blue[..2], .. red[2..], .. green[2..], .. blue[2..]];
        var page = () =>
            new HandTiff(bigEndian).Short(256, 2).Short(257, 1).Short(258, 16, 16, 16).Short(262, 2).Short(277, 3).Short(278, 1);
        foreach (var file in new[] { page().Strip(chunky), page().Short(284, 2).Strip(red).Strip(green).Strip(blue) })
            Assert.Equal([200, 0, 100, 10, 20, 30], Shared.Loader.Load(file.Bytes(), "a.tiff").Pixels.Data);

        byte[] Wide(params int[] values) =>
            [.. values.SelectMany(value => bigEndian ? new[] { (byte)(value >> 8), (byte)value } : [(byte)value, (byte)(value >> 8)])];
    }

    [Fact]
    public void Grey_of_few_bits_and_palettes_are_read()
    {
        Assert.Equal([0, 0, 0, 255, 255, 255], Shared.Loader.Load(HandTiff.Grey(2, 1, 0x40).Short(258, 1).Bytes(), "a").Pixels.Data);
        Assert.Equal(
            [255, 255, 255, 0, 0, 0],
            Shared.Loader.Load(HandTiff.Grey(2, 1, 0x40).Short(258, 1).Short(262, 0).Bytes(), "a").Pixels.Data
        );
        Assert.Equal([17, 17, 17, 238, 238, 238], Shared.Loader.Load(HandTiff.Grey(2, 1, 0x1E).Short(258, 4).Bytes(), "a").Pixels.Data);
        long[] map =
        [
            .. Enumerable
                .Range(0, 48)
                .Select(i =>
                    i == 1 ? 65535L
                    : i == 16 + 2 ? 65535
                    : 0
                ),
        ];
        Assert.Equal(
            [255, 0, 0, 0, 255, 0],
            Shared.Loader.Load(HandTiff.Grey(2, 1, 0x12).Short(258, 4).Short(262, 3).Short(320, map).Bytes(), "a").Pixels.Data
        );
    }

    [Fact]
    public void Opacity_lies_over_white_whether_premultiplied_or_not()
    {
        Assert.Equal([227, 127, 127], Shared.Loader.Load(Transparent(2, 200, 0, 0, 128), "a").Pixels.Data);
        Assert.Equal([227, 127, 127], Shared.Loader.Load(Transparent(1, 100, 0, 0, 128), "a").Pixels.Data);

        static byte[] Transparent(int kind, params byte[] pixel) =>
            new HandTiff()
                .Short(256, 1)
                .Short(257, 1)
                .Short(258, 8, 8, 8, 8)
                .Short(262, 2)
                .Short(277, 4)
                .Short(278, 1)
                .Short(338, kind)
                .Strip(pixel)
                .Bytes();
    }

    [Fact]
    public void Kinds_that_are_not_read_are_refused_by_name()
    {
        (string Kind, byte[] File)[] files =
        [
            ("a BigTIFF", [.. "II+\0"u8, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0]),
            ("a BigTIFF", [.. "MM\0+"u8, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16]),
            ("a tiled TIFF", HandTiff.Grey(1, 1, 5).Long(324, 8).Long(325, 1).Bytes()),
            ("a CMYK TIFF", HandTiff.Rgb(1, 1, 1, 2, 3, 4).Short(262, 5).Short(277, 4).Short(258, 8, 8, 8, 8).Bytes()),
            ("a YCbCr TIFF", HandTiff.Rgb(1, 1, 1, 2, 3).Short(262, 6).Bytes()),
            ("a CIELab TIFF", HandTiff.Rgb(1, 1, 1, 2, 3).Short(262, 8).Bytes()),
            ("a fax-compressed TIFF", HandTiff.Grey(1, 1, 5).Short(258, 1).Short(259, 3).Bytes()),
            ("a fax-compressed TIFF", HandTiff.Grey(1, 1, 5).Short(258, 1).Short(259, 4).Bytes()),
            ("a JPEG-compressed TIFF", HandTiff.Rgb(1, 1, 1, 2, 3).Short(259, 7).Bytes()),
            ("a TIFF of 32 bits a channel", HandTiff.Grey(1, 1, 1, 2, 3, 4).Short(258, 32).Bytes()),
            ("a TIFF of floating-point or signed numbers", HandTiff.Grey(1, 1, 1, 2).Short(258, 16).Short(339, 3).Bytes()),
            ("a TIFF of 2 channels for grey", HandTiff.Grey(1, 1, 1, 2).Short(258, 8, 8).Short(277, 2).Bytes()),
            ("a TIFF of channels of different sizes", HandTiff.Rgb(1, 1, 1, 2, 3).Short(258, 8, 8, 4).Bytes()),
            ("a TIFF of predictor 3 at 8 bits", HandTiff.Grey(1, 1, 5).Short(259, 5).Short(317, 3).Bytes()),
            ("a TIFF of reversed bit order", HandTiff.Grey(1, 1, 5).Short(266, 2).Bytes()),
        ];
        foreach (var (kind, file) in files)
            Assert.Equal(
                $"a.tiff: this is {kind}, which is not read; save it as PNG or JPEG.",
                Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(file, "a.tiff")).Message
            );
    }

    [Fact]
    public void Strips_that_are_missing_short_or_outside_the_file_are_refused()
    {
        Assert.Equal(2, Shared.Loader.Load(HandTiff.Grey(1, 2, 5, 6).Bytes(), "a").Height);
        byte[][] files =
        [
            HandTiff.Grey(1, 3, 5, 6).Bytes(),                                      // three rows in two bytes
            HandTiff.Grey(1, 2, 5).Short(278, 1).Bytes(),                           // two strips, one there
            HandTiff.Grey(1, 2, 5, 6).Long(273, 4_000_000_000).Bytes(),
            HandTiff.Grey(1, 2, 5, 6).Long(273, 8).Long(279, uint.MaxValue).Bytes(),
        ];
        foreach (var file in files)
            Assert.Contains(
                "cut off: its first page breaks off",
                Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(file, "a")).Message,
                StringComparison.Ordinal
            );
    }
}
