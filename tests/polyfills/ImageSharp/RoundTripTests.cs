using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Png.Chunks;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Tests.Polyfills;

public sealed class RoundTripTests
{
    [Theory]
    [InlineData(PngCompressionLevel.NoCompression)]
    [InlineData(PngCompressionLevel.DefaultCompression)]
    [InlineData(PngCompressionLevel.BestCompression)]
    public void A_png_has_the_same_pixels_after_saving(PngCompressionLevel level)
    {
        using var image = Pictures.Sample(131, 77);
        using var again = Again(image, new PngEncoder { CompressionLevel = level });
        AssertSame(image, again);
        Assert.Same(PngFormat.Instance, again.Metadata.DecodedImageFormat);
    }

    [Fact]
    public void A_png_keeps_alpha_and_16_bits()
    {
        var random = new Random(3);
        var colours = new Rgba32[50 * 40];
        var greys = new L16[50 * 40];
        var wide = new Rgba64[50 * 40];
        for (var i = 0; i < colours.Length; i++)
        {
            colours[i].PackedValue = (uint)random.NextInt64(1L << 32);
            greys[i] = new L16((ushort)random.Next(65536));
            wide[i].PackedValue = (ulong)random.NextInt64();
        }
        AssertSameAgain<Rgba32>(colours);
        AssertSameAgain<L16>(greys);
        AssertSameAgain<Rgba64>(wide);
    }

    [Fact]
    public void A_png_of_grey_pixels_is_grey_and_loads_as_grey_without_a_type()
    {
        using var image = new Image<L8>(10, 10, new L8(77));
        using var file = new MemoryStream();
        image.SaveAsPng(file);
        file.Position = 0;
        Assert.Equal(8, Image.Identify(file).PixelType.BitsPerPixel);
        file.Position = 0;
        using var again = Image.Load(file);
        Assert.Equal(new L8(77), Assert.IsType<Image<L8>>(again)[3, 3]);
    }

    [Fact]
    public void A_color_type_asked_for_is_written()
    {
        using var image = Pictures.Sample(16, 16);
        using var again = Again(image, new PngEncoder { ColorType = PngColorType.Grayscale, BitDepth = PngBitDepth.Bit8 });
        Assert.Equal(PngColorType.Grayscale, again.Metadata.GetPngMetadata().ColorType);
        using var grey = image.CloneAs<L8>();
        Assert.Equal(grey[5, 9].PackedValue, again[5, 9].R);
    }

    [Fact]
    public void Png_texts_come_back_short_long_and_beyond_latin_1()
    {
        using var image = Pictures.Sample(4, 4);
        PngTextData[] texts =
        [
            new("prompt", "a photo of TOK", "", ""),
            new("seed", "42", "", ""),
            new("settings", new string('x', 5000), "", ""),
            new("caption", "Übergröße café", "", ""),
            new("translated", "写真 ☃", "ja", "題"),
            new("long", new string('☃', 3000), "", ""),
        ];
        foreach (var text in texts)
            image.Metadata.GetPngMetadata().TextData.Add(text);
        using var again = Again(image, new PngEncoder());
        Assert.Equal(texts, again.Metadata.GetPngMetadata().TextData);
        Assert.Empty(Again(image, new PngEncoder { SkipMetadata = true }).Metadata.GetPngMetadata().TextData);
    }

    [Theory]
    [InlineData(100, 2.0)]
    [InlineData(75, 4.0)]
    public void A_jpeg_is_near_the_original(int quality, double levels)
    {
        using var image = new Image<Rgb24>(96, 64);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.GetRowSpan(y);
                for (var x = 0; x < row.Length; x++)
                    row[x] = new Rgb24((byte)(x * 2), (byte)(y * 3), 128);
            }
        });
        using var again = Again(image, new JpegEncoder { Quality = quality });
        Assert.All(Pictures.MeanDifference(image, again), difference => Assert.InRange(difference, 0, levels));
    }

    [Fact]
    public void A_quality_out_of_range_is_an_argument_exception() => Assert.Throws<ArgumentException>(() => new JpegEncoder { Quality = 101 });

    [Fact]
    public void A_lossless_webp_has_the_same_pixels()
    {
        using var image = Pictures.Sample(61, 47);
        using var again = Again(image, new WebpEncoder { FileFormat = WebpFileFormatType.Lossless });
        AssertSame(image, again);
    }

    [Theory]
    [InlineData("jpg")]
    [InlineData("png")]
    public void An_orientation_survives_saving_and_is_1_after_auto_orient(string extension)
    {
        using var image = Pictures.Sample(20, 10);
        image.Metadata.ExifProfile = new ExifProfile();
        image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)6);
        using var file = new MemoryStream();
        image.Configuration.ImageFormatsManager.TryFindFormatByFileExtension(extension, out var format);
        image.Save(file, format!);
        using var again = Image.Load<Rgb24>(file.ToArray());
        Assert.True(again.Metadata.ExifProfile!.TryGetValue(ExifTag.Orientation, out var orientation));
        Assert.Equal(6, orientation.Value);
        again.Mutate(picture => picture.AutoOrient());
        Assert.Equal(new Size(10, 20), again.Size);
        using var upright = Again(again, new PngEncoder());
        Assert.True(upright.Metadata.ExifProfile!.TryGetValue(ExifTag.Orientation, out orientation));
        Assert.Equal(1, orientation.Value);
        Assert.True(upright.Metadata.ExifProfile.RemoveValue(ExifTag.Orientation));
        Assert.False(new ExifProfile(upright.Metadata.ExifProfile.ToByteArray()).TryGetValue(ExifTag.Orientation, out _));
    }

    [Fact]
    public void Saving_under_an_unknown_extension_names_it()
    {
        using var image = new Image<Rgb24>(2, 2);
        var refusal = Assert.Throws<UnknownImageFormatException>(() => image.Save(Path.Combine(Path.GetTempPath(), "picture.xyz")));
        Assert.Contains(".xyz", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_chooses_the_format_and_async_loading_reads_it()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.png");
        using var image = Pictures.Sample(30, 20);
        await image.SaveAsync(path);
        using var again = await Image.LoadAsync<Rgb24>(path);
        AssertSame(image, again);
        Assert.Equal(image.Size, (await Image.IdentifyAsync(path)).Size);
        Assert.Equal("PNG", Image.DetectFormat(path).Name);
        File.Delete(path);
    }

    [Fact]
    public void A_stream_that_cannot_seek_is_read_from_where_it_stands()
    {
        using var image = Pictures.Sample(9, 9);
        using var file = new MemoryStream();
        file.Write([1, 2, 3]);
        image.SaveAsPng(file);
        file.Position = 3;
        Assert.Equal("PNG", Image.DetectFormat(file).Name);
        Assert.Equal(3, file.Position);
        using var pipe = new System.IO.Compression.DeflateStream(new MemoryStream(Deflate(file.ToArray().AsSpan(3).ToArray())), System.IO.Compression.CompressionMode.Decompress);
        using var again = Image.Load<Rgb24>(pipe);
        AssertSame(image, again);
    }

    private static byte[] Deflate(byte[] plain)
    {
        using var target = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(target, System.IO.Compression.CompressionLevel.Fastest))
            deflate.Write(plain);
        return target.ToArray();
    }

    private static void AssertSameAgain<TPixel>(TPixel[] pixels)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using var image = Image.LoadPixelData<TPixel>(pixels, 50, 40);
        using var file = new MemoryStream();
        image.SaveAsPng(file);
        using var again = Image.Load<TPixel>(file.ToArray());
        var copy = new TPixel[pixels.Length];
        again.CopyPixelDataTo(copy);
        Assert.Equal(pixels, copy);
    }

    private static Image<Rgb24> Again(Image image, IImageEncoder encoder)
    {
        using var file = new MemoryStream();
        image.Save(file, encoder);
        return Image.Load<Rgb24>(file.ToArray());
    }

    private static void AssertSame(Image<Rgb24> a, Image<Rgb24> b) => Assert.All(Pictures.MeanDifference(a, b), difference => Assert.Equal(0, difference));
}
