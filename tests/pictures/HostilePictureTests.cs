using System.Buffers.Binary;
using Sdxl.Pictures;
using Sdxl.Pictures.Formats;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>
/// One hostile input, one refusal or one harmless picture: the weak spots of ImageSharp 2.1.13 that no advisory names (docs/security.md).
/// </summary>
[Collection(nameof(Alone))]
public sealed class HostilePictureTests
{
    /// <summary>8 x 1 pixels, all 255: a filter byte before the columns of passes 1, 2, 4 and 6; the others have none.</summary>
    private static readonly byte[] s_interlacedRow = [0, 0xFF, 0, 0xFF, 0, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0xFF];

    [Fact]
    public void A_bmp_header_that_asks_for_a_palette_of_2_GiB_takes_no_memory()
    {
        using var image = Samples.Rgb(8, 8);
        var file = Samples.Encode(image, new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel24 });
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(46), 500_000_000);                      // colours of 4 bytes
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(10), int.MaxValue);                     // pixels behind them
        Assert.InRange(PeakMemory.Megabytes(() => Assert.Contains("cut off", Refusal(file))), 0, 16);
        using var grey = Samples.Rgb(8, 8);
        var palette = Samples.Encode(grey, new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel8 });
        BinaryPrimitives.WriteInt32LittleEndian(palette.AsSpan(46), 500_000_000);
        Assert.InRange(PeakMemory.Megabytes(() => Assert.Equal(8, Shared.Loader.Load(palette, "a").Width)), 0, 16);
    }

    [Fact]
    public void A_colour_behind_the_palette_is_black_and_not_what_lies_in_memory()
    {
        // 8 x 1 pixels that name colour 255 of a palette of one, white; interlaced: the path without a check.
        var png = HandPng.Of(8, 1, bits: 8, colour: 3, s_interlacedRow, interlaced: true, [.. "PLTE"u8, 255, 255, 255]);
        Assert.Equal(new byte[24], Shared.Loader.Load(png, "a.png").Pixels.Data);

        byte[] bmp =
        [
            .. "BM"u8,
            66,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            58,
            0,
            0,
            0,
            40,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            1,
            0,
            8,
            0,
            .. new byte[16],
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            255,
            255,
            255,
            0,
            200,
            0,
            0,
            0,
        ];
        Assert.Equal(new byte[3], Shared.Loader.Load(bmp, "a.bmp").Pixels.Data);
    }

    [Fact]
    public void Palettes_that_are_missing_or_no_colours_are_refused()
    {
        Assert.Contains("its palette is missing", Refusal(HandPng.Of(8, 1, 8, 3, s_interlacedRow, interlaced: true)));
        Assert.Contains("is not made of colours", Refusal(HandPng.Of(8, 1, 8, 3, s_interlacedRow, interlaced: true, [.. "PLTE"u8, 1, 2])));
        Assert.Contains("its palette is missing", Refusal(HandTiff.Grey(1, 1, 5).Short(262, 3).Bytes()));
        Assert.Contains("its palette is missing", Refusal(HandTiff.Grey(1, 1, 5).Short(262, 3).Short(320, 1, 2, 3).Bytes()));
    }

    [Fact]
    public void A_png_whose_pixels_end_early_is_refused_and_not_filled_up()
    {
        Assert.Equal(2, Shared.Loader.Load(HandPng.Of(2, 2, 8, 0, [0, 1, 2, 0, 3, 4]), "a").Height);
        Assert.Contains("cut off: 3 of 6 bytes of its pixels are there", Refusal(HandPng.Of(2, 2, 8, 0, [0, 1, 2])));
        Assert.Contains("colour type 3 with 16 bits does not exist", Refusal(HandPng.Of(2, 2, 16, 3, [0, 1, 2])));
        var wrong = HandPng.Zlib([0, 1, 2, 0, 3, 4], 1);
        wrong[^1] ^= 1;
        Assert.Contains("its pixels cannot be inflated", Refusal(HandPng.Packed(2, 2, 8, 0, wrong)));
    }

    /// <summary>Each of these keeps a thread of ImageSharp 2.1.13 busy for ever; a test that goes wrong hangs.</summary>
    [Fact]
    public void An_interlaced_png_never_waits_for_pixels_that_do_not_come()
    {
        Assert.Contains("cut off: 7 of 12 bytes", Refusal(HandPng.Of(8, 1, 8, 0, s_interlacedRow[..7], interlaced: true)));
        Assert.Contains("an interlaced PNG of 2 pixels in width", Refusal(HandPng.Of(2, 2, 8, 0, [0, 1, 0, 2, 0, 3, 4], interlaced: true)));
        // An empty chunk before the pixels, and one that ends within the stream's header.
        var packed = HandPng.Zlib(s_interlacedRow, 1);
        byte[][] before = [[.. "IDAT"u8], [.. "IDAT"u8, packed[0]], [.. "IDAT"u8]];
        var loaded = Shared.Loader.Load(HandPng.Packed(8, 1, 8, 0, packed[1..], interlaced: true, before), "a.png");
        Assert.Equal(Enumerable.Repeat((byte)0xFF, 24), loaded.Pixels.Data);
    }

    [Fact]
    public void Planes_of_a_tiff_that_unpack_to_nothing_show_nothing_of_the_picture_before()
    {
        var bright = Shared.Loader.Load(HandTiff.Rgb(64, 64, [.. Enumerable.Repeat((byte)200, 64 * 64 * 3)]).Bytes(), "first").Pixels;
        Assert.Equal(200, bright.Data[0]);
        // PackBits' 0x80 says nothing.
        var empty = HandTiff.Rgb(64, 64, 0x80).Short(259, 32773).Short(284, 2).Strip(0x80).Strip(0x80).Bytes();
        Assert.Equal(new byte[64 * 64 * 3], Shared.Loader.Load(empty, "second").Pixels.Data);
    }

    [Fact]
    public void A_jpeg_of_thousands_of_scans_is_refused_before_one_is_decoded()
    {
        using var image = Samples.Rgb(64, 64);
        var file = Samples.Encode(image, new JpegEncoder());
        var scan = file.AsSpan().IndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] bomb = [.. file[..scan], .. Enumerable.Repeat(file[scan..^2], 1000).SelectMany(part => part), 0xFF, 0xD9];
        Assert.Contains("more than 100 scans", Refusal(bomb));
        Assert.Contains("two frames", Refusal([.. file[..scan], .. LargePictures.JpegHeader(16)[2..^2], .. file[scan..]]));
        Assert.Contains("lossless, hierarchical or arithmetic-coded", Refusal(LargePictures.JpegHeader(16, frame: 0xC9)));
    }

    [Fact]
    public void An_interlaced_gif_frame_beyond_its_screen_is_refused()
    {
        var file = LargePictures.Gif(1, 4);
        file[^7] |= 0x40;
        Assert.Contains("reaches beyond its screen", Refusal(file));
    }

    [Fact]
    public void A_gif_comment_without_end_is_cut_off()
    {
        byte[] head = LargePictures.Gif(1, 1)[..19];
        Assert.Contains("cut off", Refusal([.. head, 0x21, 0xFE, 200, 1, 2, 3]));
    }

    [Fact]
    public void A_tiff_of_ten_thousand_pages_with_a_thousand_numbers_each_costs_nothing()
    {
        // Every page's directory claims the same table of a million numbers; ImageSharp would read it page by page.
        var first = HandTiff.Grey(1, 1, 7).Bytes();
        using var stream = new MemoryStream();
        stream.Write(first);
        var table = stream.Length;
        stream.Write(new byte[4_000_000]);
        var at = stream.Length;
        // All its values are inline, so its link is its end
        BinaryPrimitives.WriteInt32LittleEndian(stream.GetBuffer().AsSpan(first.Length - 4), (int)at);
        for (var page = 0; page < 10_000; page++, at += 18)
        {
            stream.Write([1, 0, 0x42, 0x99, 4, 0, 0x40, 0x42, 0x0F, 0]);
            stream.Write(BitConverter.GetBytes((int)table));
            stream.Write(BitConverter.GetBytes(page < 9_999 ? (int)at + 18 : 0));
        }
        LoadedPicture? loaded = null;
        Assert.InRange(PeakMemory.Megabytes(() => loaded = Shared.Loader.Load(stream.ToArray(), "a.tiff")), 0, 32);
        Assert.Equal((7, 10_000), (loaded!.Pixels.Data[0], loaded.Frames));
    }

    [Fact]
    public void More_strips_than_any_program_writes_are_refused()
    {
        var file = HandTiff.Grey(1, 60_000, 5).Short(278, 1).Bytes();
        Assert.Contains("cut off", Refusal(file));
        Assert.Contains("a TIFF of 200,000 strips", Refusal(HandTiff.Grey(1, 1, 5).Long(257, 200_000).Short(278, 1).Bytes()));
    }

    [Fact]
    public void What_needs_more_memory_than_one_picture_may_take_is_refused_with_the_number()
    {
        var loader = new PictureLoader(new PictureLimits { MemoryMebibytes = 24 });
        using var image = new Image<Rgb24>(4000, 2000);
        var file = Samples.Encode(image, new PngEncoder());
        var refusal = Assert.Throws<PictureRefusedException>(() => loader.Load(file, "a.png", maxSide: 100));
        Assert.Equal(
            "a.png: decoding its 4,000 x 2,000 pixels needs more than the 24 MiB that one picture may take; shrink it.",
            refusal.Message
        );
        Assert.Equal(100, Shared.Loader.Load(file, "a.png", maxSide: 100).Pixels.Width);
    }

    [Fact]
    public void A_picture_that_fails_in_the_middle_leaves_no_memory_behind()
    {
        using var image = new Image<Rgb24>(3000, 3000);
        var file = Samples.Encode(image, new BmpEncoder { BitsPerPixel = BmpBitsPerPixel.Pixel8 });
        file[30] = 1;                                       // 9 megapixels are 36 MB; said to be packed in runs, of which there is one
        file = file[..(54 + 1024 + 2)];
        Assert.InRange(PeakMemory.Megabytes(() =>
        {
            for (var i = 0; i < 8; i++)
                Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(file, "a.bmp", maxSide: 64));
        }), 0, 128);
    }

    /// <summary>Each fixture with bytes overwritten or cut, 24 times, with little memory: a refusal or a picture, nothing else.</summary>
    [Fact]
    public void A_damaged_fixture_is_refused_or_loads()
    {
        var loader = new PictureLoader(new PictureLimits { JpegMegapixels = 2, OtherMegapixels = 2, MemoryMebibytes = 64 });
        var (loaded, refused) = (0, 0);
        foreach (var entry in Shared.Json(TestPaths.Fixture("pictures.json")).GetProperty("decodes").EnumerateArray())
        {
            var original = File.ReadAllBytes(TestPaths.Fixture("pictures", entry.GetProperty("file").GetString()!));
            var random = new Random(7);
            for (var round = 0; round < 24; round++)
            {
                var bytes = original.AsSpan(0, round % 4 == 0 ? random.Next(original.Length) : original.Length).ToArray();
                for (var i = 0; i < round && bytes.Length > 0; i++)
                    bytes[random.Next(round % 2 == 0 ? Math.Min(bytes.Length, 200) : bytes.Length)] = (byte)random.Next(256);
                try
                {
                    loader.Load(bytes, "a");
                    loaded++;
                }
                catch (PictureRefusedException)
                {
                    refused++;
                }
            }
        }
        Assert.True(loaded > 50 && refused > 150, $"{loaded} loaded, {refused} refused.");
    }

    [Fact]
    public void An_exif_block_of_garbage_is_a_picture_without_orientation()
    {
        byte[][] blocks =
        [
            [],
            [1, 2, 3],
            "II*\0"u8.ToArray(),
            [.. "II*\0"u8, 255, 255, 255, 255],
            [.. "MM\0*"u8, 0, 0, 0, 8, 255, 255],
            [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 255, 255, 255, 255, 0, 0, 0, 0],
        ];
        Assert.All(blocks, block => Assert.Equal(1, ExifOrientation.Of(block)));
        Assert.Equal(6, ExifOrientation.Of([.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]));
    }

    private static string Refusal(byte[] file) => Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(file, "a")).Message;
}
