using System.Buffers.Binary;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Polyfills;

/// <summary>One hostile input, one exception; never a crash, never much memory.</summary>
public sealed class HostilePictureTests
{
    [Fact]
    public void An_empty_stream_is_an_unknown_format_and_an_empty_span_a_null_argument()
    {
        Assert.Throws<UnknownImageFormatException>(() => Image.Load<Rgb24>(new MemoryStream()));
        Assert.Throws<UnknownImageFormatException>(() => Image.Identify(new MemoryStream()));
        Assert.Throws<ArgumentNullException>(() => Image.Load<Rgb24>(ReadOnlySpan<byte>.Empty));
    }

    [Fact]
    public void Text_is_an_unknown_format() => Assert.Throws<UnknownImageFormatException>(() => Image.Identify("just text, more than a header long"u8));

    [Fact]
    public async Task Unknown_formats_are_the_same_for_async_callers() =>
        await Assert.ThrowsAsync<UnknownImageFormatException>(() => Image.LoadAsync<Rgb24>(new MemoryStream("just text"u8.ToArray())));

    [Fact]
    public void A_png_of_60000_by_60000_is_identified_cheaply_and_refused_before_memory_is_taken()
    {
        var bytes = WithPngSize(Encode(image => image.SaveAsPng), 60_000, 60_000);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Assert.Equal(new Size(60_000, 60_000), Image.Identify(bytes).Size);
        var refusal = Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(bytes));
        Assert.IsType<InvalidMemoryOperationException>(refusal.InnerException);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public void A_picture_over_the_allocators_limit_is_refused(string format)
    {
        using var large = new Image<Rgb24>(1000, 1000);
        using var file = new MemoryStream();
        large.Configuration.ImageFormatsManager.TryFindFormatByFileExtension(format, out var known);
        large.Save(file, known!);
        var small = Configuration.Default.Clone();
        small.MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = 1 });
        file.Position = 0;
        Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(new DecoderOptions { Configuration = small }, file));
        Assert.Throws<InvalidMemoryOperationException>(() => new Image<Rgb24>(small, 1000, 1000));
    }

    [Theory]
    [InlineData(false, 0, 2)]   // one page after the other
    [InlineData(false, 8, 0)]   // the second leads back to the first
    [InlineData(false, 134, 0)] // the second leads to itself
    [InlineData(true, 0, 2)]
    [InlineData(true, 8, 0)]
    public void A_tiff_whose_directories_lead_back_is_refused_and_another_has_its_pages(bool bigEndian, int second, int pages)
    {
        var file = Tiff(bigEndian, second);
        if (pages > 0)
        {
            using var image = Image.Load<Rgb24>(file);
            Assert.Equal((pages, new Size(2, 1)), (image.Frames.Count, Image.Identify(file).Size));
            return;
        }
        Assert.Contains("circular", Assert.Throws<ImageFormatException>(() => Image.Identify(file)).Message, StringComparison.Ordinal);
        Assert.Contains("circular", Assert.Throws<ImageFormatException>(() => Image.Load<Rgb24>(new DecoderOptions { MaxFrames = 1 }, file)).Message, StringComparison.Ordinal);
    }

    /// <summary>Two pages of 2 x 1 grey pixels: directories at 8 and 134, pixels behind them.</summary>
    private static byte[] Tiff(bool bigEndian, int lastLink)
    {
        const int DirectoryBytes = 2 + 10 * 12 + 4, PixelsAt = 8 + 2 * DirectoryBytes;
        using var stream = new MemoryStream();
        stream.Write(bigEndian ? "MM\0*"u8 : "II*\0"u8);
        Number(4, 8);
        for (var page = 0; page < 2; page++)
        {
            Number(2, 10);
            Entry(256, 3, 2);
            Entry(257, 3, 1);
            Entry(258, 3, 8);
            Entry(259, 3, 1);
            Entry(262, 3, 1);
            Entry(273, 4, PixelsAt);
            Entry(274, 3, 1);
            Entry(277, 3, 1);
            Entry(278, 3, 1);
            Entry(279, 4, 2);
            Number(4, page == 0 ? 8 + DirectoryBytes : lastLink);
        }
        stream.Write([10, 200]);
        return stream.ToArray();

        void Entry(int tag, int type, int value)
        {
            Number(2, tag);
            Number(2, type);
            Number(4, 1);
            Number(type == 3 ? 2 : 4, value);
            stream.Write(new byte[type == 3 ? 2 : 0]);
        }

        void Number(int size, int value)
        {
            Span<byte> bytes = stackalloc byte[4];
            if (bigEndian)
                BinaryPrimitives.WriteInt32BigEndian(bytes, value);
            else
                BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            stream.Write(bigEndian ? bytes[(4 - size)..] : bytes[..size]);
        }
    }

    [Fact]
    public void A_png_cut_off_in_its_pixels_is_invalid()
    {
        var bytes = Encode(image => image.SaveAsPng);
        Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(bytes.AsSpan(0, bytes.Length / 2)));
    }

    [Fact]
    public void A_png_with_a_wrong_checksum_in_its_pixels_is_invalid()
    {
        var bytes = Encode(image => image.SaveAsPng);
        bytes[bytes.Length / 2] ^= 0x40;
        Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(bytes));
    }

    [Fact]
    public void A_jpeg_cut_off_shows_what_there_is_as_the_real_library_does()
    {
        var bytes = Encode(image => image.SaveAsJpeg);
        using var whole = Image.Load<Rgb24>(bytes);
        using var half = Image.Load<Rgb24>(bytes.AsSpan(0, bytes.Length * 2 / 3));
        Assert.Equal(whole.Size, half.Size);
        Assert.Equal(whole[5, 5], half[5, 5]);
    }

    [Fact]
    public void A_jpeg_without_a_frame_is_invalid()
    {
        var refusal = Assert.ThrowsAny<Exception>(() => Image.Load<Rgb24>((byte[])[0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xD9, 0, 0]));
        Assert.True(refusal is InvalidImageContentException || !Pictures.IsPolyfill);
    }

    [Fact]
    public void A_progressive_jpeg_that_claims_65500_by_65500_is_refused()
    {
        // SOF2, 3 components: 4.3 gigapixels. libjpeg would want 25 GiB of coefficients.
        byte[] bytes = [0xFF, 0xD8, 0xFF, 0xC2, 0, 17, 8, 0xFF, 0xDC, 0xFF, 0xDC, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0xFF, 0xD9];
        Assert.Equal(new Size(65500, 65500), Image.Identify(bytes).Size);
        Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(bytes));
        Assert.Throws<InvalidImageContentException>(() => Image.Load<L8>(bytes));
    }

    [Fact]
    public void A_gif_frame_far_larger_than_its_canvas_shows_its_corner()
    {
        byte[] bytes = [.. "GIF89a"u8, 1, 0, 1, 0, 0, 0, 0, 0x2C, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 2, 1, 0, 0, 0x3B];
        using var picture = Image.Load<Rgb24>(bytes);
        Assert.Equal(new Size(1, 1), picture.Size);
    }

    [Fact]
    public void A_bmp_with_too_few_pixels_is_invalid()
    {
        var bytes = new byte[60];
        "BM"u8.CopyTo(bytes);
        bytes[10] = 54;
        bytes[14] = 40;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(18), 1000);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(22), 1000);
        bytes[28] = 24;
        Assert.Throws<InvalidImageContentException>(() => Image.Load<Rgb24>(bytes));
    }

    [Fact]
    public void An_exif_block_of_garbage_is_a_picture_without_orientation()
    {
        using var image = Pictures.Sample(8, 8);
        image.Metadata.ExifProfile = new SixLabors.ImageSharp.Metadata.Profiles.Exif.ExifProfile([(byte)'I', (byte)'I', 42, 0, 255, 255, 255, 255, 1, 2, 3, 4, 5, 6]);
        Assert.False(image.Metadata.ExifProfile.TryGetValue(SixLabors.ImageSharp.Metadata.Profiles.Exif.ExifTag.Orientation, out _));
    }

    /// <summary>Each fixture with bytes overwritten or cut, 40 times: an exception of the documented kinds or a picture, nothing else.</summary>
    [Theory]
    [MemberData(nameof(PictureFixtureTests.Decodes), MemberType = typeof(PictureFixtureTests))]
    public void A_damaged_fixture_raises_a_documented_exception_or_loads(string file)
    {
        var original = File.ReadAllBytes(TestPaths.Fixture("pictures", file));
        var small = Configuration.Default.Clone();
        small.MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = 16 });
        var options = new DecoderOptions { Configuration = small };
        var random = new Random(7);
        for (var round = 0; round < 40; round++)
        {
            var bytes = original.AsSpan(0, round % 4 == 0 ? random.Next(original.Length) : original.Length).ToArray();
            for (var i = 0; i < round && bytes.Length > 0; i++)
                bytes[random.Next(round % 2 == 0 ? Math.Min(bytes.Length, 200) : bytes.Length)] = (byte)random.Next(256);
            try
            {
                using var picture = Image.Load<Rgb24>(options, bytes);
            }
            catch (Exception failure) when (failure is ImageFormatException or NotSupportedException || (!Pictures.IsPolyfill && failure is not OutOfMemoryException))
            {
            }
        }
    }

    private static byte[] Encode(Func<Image, Action<Stream>> saver)
    {
        using var image = Pictures.Sample(120, 90);
        using var file = new MemoryStream();
        saver(image)(file);
        return file.ToArray();
    }

    /// <summary>Overwrites the size in the header chunk and its checksum.</summary>
    private static byte[] WithPngSize(byte[] png, int width, int height)
    {
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        var crc = uint.MaxValue;
        foreach (var value in png.AsSpan(12, 17))
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), ~crc);
        return png;
    }
}
