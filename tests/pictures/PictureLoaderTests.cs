using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

public sealed class PictureLoaderTests
{
    [Fact]
    public void A_large_jpeg_is_shrunk_while_it_is_decoded_and_keeps_its_original_size()
    {
        var loaded = Load(Jpeg(1600, 1200), maxSide: 400);
        Assert.Equal((1600, 1200), (loaded.Width, loaded.Height));
        Assert.Equal((400, 300), (loaded.Pixels.Width, loaded.Pixels.Height));
        Assert.Equal(4, loaded.Shrink);
    }

    [Fact]
    public void A_long_picture_is_shrunk_only_as_far_as_its_shorter_side_keeps_the_minimum()
    {
        var loaded = Load(Jpeg(1600, 200), maxSide: 400, minSide: 128);
        Assert.Equal((1024, 128), (loaded.Pixels.Width, loaded.Pixels.Height));
    }

    [Fact]
    public void A_small_picture_is_never_enlarged() => Assert.Equal(40, Load(Jpeg(40, 30), maxSide: 400).Pixels.Width);

    [Fact]
    public void Transparency_lies_over_white_and_in_a_mask_over_black()
    {
        using var image = new Image<Rgba32>(4, 4, new Rgba32(200, 0, 0, 128));
        var file = Encode(image, static (picture, stream) => picture.SaveAsPng(stream));
        var loaded = Load(file);
        Assert.True(loaded.HasTransparency);
        Assert.Equal([227, 127, 127], loaded.Pixels.Data[..3]);
        using var stream = new MemoryStream(file);
        Assert.InRange(new PictureLoader(new PictureLimits()).LoadMask(stream, "mask.png", 4096).Data[0], 29, 31);     // 0.299 of 100
    }

    [Theory]
    [InlineData("jpg")]
    [InlineData("png")]
    [InlineData("webp")]
    public void A_file_cut_anywhere_is_refused(string format)
    {
        var file = format switch
        {
            "jpg" => Jpeg(64, 48),
            "png" => Noise(64, 48, static (picture, stream) => picture.SaveAsPng(stream)),
            _ => Noise(64, 48, static (picture, stream) => picture.SaveAsWebp(stream)),
        };
        Assert.Equal(64, Load(file).Width);
        for (var length = 0; length < file.Length - (format == "png" ? 12 : 1); length += Math.Max(1, file.Length / 97))
            Assert.Throws<PictureRefusedException>(() => Load(file[..length]));
    }

    [Fact]
    public void Bytes_turned_at_random_give_a_picture_or_a_refusal_and_nothing_else()
    {
        var random = new Random(7);
        byte[][] files =
        [
            Jpeg(64, 48),
            Noise(64, 48, static (picture, stream) => picture.SaveAsPng(stream)),
            Noise(64, 48, static (picture, stream) => picture.SaveAsWebp(stream)),
            .. Shared
                .Json(TestPaths.Fixture("pictures.json"))
                .GetProperty("decodes")
                .EnumerateArray()
                .Select(entry => File.ReadAllBytes(TestPaths.Fixture("pictures", entry.GetProperty("file").GetString()!))),
        ];
        for (var i = 0; i < 600; i++)
        {
            byte[] file = [.. files[i % files.Length]];
            for (var turn = 0; turn < 4; turn++)
                file[random.Next(Math.Min(file.Length, 200))] = (byte)random.Next(256);
            try
            {
                Load(file);
            }
            catch (PictureRefusedException)
            {
            }
        }
    }

    [Fact]
    public void More_megapixels_than_allowed_are_refused_with_both_numbers()
    {
        var error = Assert.Throws<PictureRefusedException>(() => Load(LargePictures.PngHeader(9000, 8000)));
        Assert.Equal("a.png: the picture claims 9,000 x 8,000 pixels (72 megapixels), more than the 64 allowed; shrink it.", error.Message);
    }

    [Fact]
    public void A_progressive_jpeg_may_have_no_more_than_other_formats()
    {
        var error = Assert.Throws<PictureRefusedException>(() => Load(LargePictures.JpegHeader(9_000, frame: 0xC2)));
        Assert.Contains("81 megapixels", error.Message);
        Assert.Contains("64 allowed", error.Message);
    }

    [Fact]
    public void A_file_larger_than_allowed_is_refused_before_it_is_read_whole()
    {
        using var endless = new EndlessStream();
        var error = Assert.Throws<PictureRefusedException>(() =>
            new PictureLoader(new PictureLimits { FileBytes = 1 << 20 }).Load(endless, "endless.jpg")
        );
        Assert.Contains("1 MiB", error.Message);
        Assert.InRange(endless.Position, 1 << 20, 2 << 20);
    }

    private static LoadedPicture Load(byte[] file, int maxSide = int.MaxValue, int minSide = 1)
    {
        using var stream = new MemoryStream(file);
        return Shared.Loader.Load(stream, "a.png", maxSide, minSide);
    }

    private static byte[] Jpeg(int width, int height) =>
        Noise(width, height, static (picture, stream) => picture.SaveAsJpeg(stream, new JpegEncoder { Quality = 90 }));

    private static byte[] Noise(int width, int height, Action<Image<Rgb24>, Stream> save)
    {
        var pixels = new byte[width * height * 3];
        new Random(3).NextBytes(pixels);
        using var image = Image.LoadPixelData<Rgb24>(pixels, width, height);
        using var stream = new MemoryStream();
        save(image, stream);
        return stream.ToArray();
    }

    private static byte[] Encode(Image<Rgba32> image, Action<Image<Rgba32>, Stream> save)
    {
        using var stream = new MemoryStream();
        save(image, stream);
        return stream.ToArray();
    }

    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            Position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
