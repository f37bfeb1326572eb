using System.Diagnostics;
using System.Globalization;
using Sdxl.Vision;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Pictures;

/// <summary>Measures the process, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(PictureMemoryTests), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(PictureMemoryTests))]
public sealed class PictureMemoryTests
{
    /// <summary>108 megapixels whole would be 324 MB in red green blue alone.</summary>
    [Fact]
    public void A_jpeg_of_12000_by_9000_is_decoded_within_256_MiB()
    {
        using var stream = File.OpenRead(Large());
        LoadedPicture? loaded = null;
        var peak = PeakMegabytes(() => loaded = Shared.Loader.Load(stream, "large.jpg", maxSide: 4096));
        Assert.Equal((12000, 9000), (loaded!.Width, loaded.Height));
        Assert.Equal((4096, 3072), (loaded.Pixels.Width, loaded.Pixels.Height));
        Assert.InRange(peak, 32, 256);                                  // what comes out is 36 MiB
    }

    [Fact]
    public void One_activity_prepares_it_for_1024_pixels_with_mask_and_caption_within_384_MiB()
    {
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = File.OpenRead(Large());
        PreparedPicture? prepared = null;
        var peak = PeakMegabytes(() => prepared = preparer.Prepare(stream, "large.jpg", suppliedMask: null, new PreparationSettings { Resolution = 1024, MaskTargetPrompts = "object" }));
        Assert.Equal((12000, 9000, 9000), (prepared!.OriginalWidth, prepared.OriginalHeight, prepared.CropSize));
        Assert.Equal(1024, prepared.Picture.Width);
        prepared.Dispose();
        Assert.InRange(peak, 32, 384);
    }

    /// <summary>The most that other formats may have: 64 megapixels, decoded whole at 4 bytes a pixel (256 MB), then shrunk (48 MB).</summary>
    [Theory]
    [InlineData("png of 16 bits")]
    [InlineData("bmp")]
    [InlineData("tiff")]
    [InlineData("webp")]
    public void Sixty_four_megapixels_of_another_format_are_prepared_within_512_MiB(string format)
    {
        var file = format switch
        {
            "png of 16 bits" => LargePictures.Png16(8000, 8000), "bmp" => LargePictures.Bmp8(8000, 8000), "tiff" => LargePictures.Tiff(8000, 8000, strips: 8000), _ => Webp(8000, 8000),
        };
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = new MemoryStream(file);
        PreparedPicture? prepared = null;
        var peak = PeakMegabytes(() => prepared = preparer.Prepare(stream, format, suppliedMask: null, new PreparationSettings { Resolution = 1024, Caption = "given" }));
        Assert.Equal((1024, 8000), (prepared!.Picture.Width, prepared.OriginalWidth));
        prepared.Dispose();
        Assert.InRange(peak, 16, 512);
    }

    [Fact]
    public void A_long_strip_below_the_resolution_is_upscaled_as_its_square_only_within_384_MiB()
    {
        using var preparer = new PicturePreparer(Shared.Models);
        using var stream = new MemoryStream(LargePictures.Png16(4000, 120));
        PreparedPicture? prepared = null;
        var peak = PeakMegabytes(() => prepared = preparer.Prepare(stream, "strip.png", suppliedMask: null, new PreparationSettings { Resolution = 128, Caption = "given" }));
        Assert.Equal((120, 1, 128), (prepared!.CropSize, prepared.TimesUpscaled, prepared.Picture.Width));
        prepared.Dispose();
        Assert.InRange(peak, 1, 384);            // most of it is the model's
    }

    /// <summary>Each has less than 2 MB and claims gigabytes.</summary>
    [Fact]
    public void Bombs_of_every_format_take_no_memory()
    {
        (string Name, byte[] File)[] bombs =
        [
            ("png", LargePictures.PngHeader(100_000, 100_000)), ("jpeg", LargePictures.JpegHeader(65_500)), ("progressive jpeg", LargePictures.JpegHeader(9_000, frame: 0xC2)), ("gif", LargePictures.Gif(65_535, 65_535)),
            ("bmp", LargePictures.BmpHeader(100_000, 100_000, 24)), ("bmp upside down", LargePictures.BmpHeader(30_000, -2_000_000_000, 24)), ("bmp of the least height", LargePictures.BmpHeader(30_000, int.MinValue, 24)),
            ("webp", LargePictures.WebpHeader(16_383)), ("tiff", LargePictures.Tiff(100_000, 100_000, strips: 1)), ("tiff of negative size", LargePictures.Tiff(-1, 10, strips: 1)),
        ];
        foreach (var (name, file) in bombs)
        {
            Assert.InRange(file.Length, 1, 2 << 20);
            using var stream = new MemoryStream(file);
            Assert.InRange(PeakMegabytes(() => Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(stream, name))), 0, 32);
        }
        using var beyond = new MemoryStream(LargePictures.Gif(1, 65_535));        // what lies beyond the screen is not there
        Assert.InRange(PeakMegabytes(() => Assert.Equal(1, Shared.Loader.Load(beyond, "gif frame beyond its screen").Width)), 0, 32);
        using var text = new MemoryStream(LargePictures.PngWithText(1024));
        Assert.InRange(PeakMegabytes(() => Assert.Equal(1, Shared.Loader.Load(text, "text.png").Width)), 0, 128);
    }

    [Fact]
    public void Fixture_files_that_are_refused_take_no_memory_whatever_they_claim()
    {
        foreach (var entry in Shared.Json(TestPaths.Fixture("pictures.json")).GetProperty("refused").EnumerateArray())
        {
            var file = TestPaths.Fixture("pictures", entry.GetProperty("file").GetString()!);
            Assert.InRange(PeakMegabytes(() => Assert.Throws<PictureRefusedException>(() => Shared.Picture(file))), 0, 32);
        }
    }

    private static long PeakMegabytes(Action action)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");                // the peak counts from now on
        var before = Status("VmRSS");
        var clock = Stopwatch.StartNew();
        action();
        var peak = (Status("VmHWM") - before) >> 10;
        Console.WriteLine($"{peak} MiB at its peak, {clock.ElapsedMilliseconds} ms");
        return peak;
    }

    private static byte[] Webp(int width, int height)
    {
        using var image = new Image<Rgb24>(width, height, new Rgb24(10, 120, 90));
        using var stream = new MemoryStream();
        image.SaveAsWebp(stream);
        return stream.ToArray();
    }

    private static string Large()
    {
        var file = Path.Combine(Path.GetTempPath(), "sdxl-tests-12000x9000.jpg");
        if (File.Exists(file))
            return file;
        using var image = new Image<Rgb24>(12000, 9000);
        image.ProcessPixelRows(rows =>
        {
            for (var y = 0; y < rows.Height; y++)
            {
                var row = rows.GetRowSpan(y);
                for (var x = 0; x < row.Length; x++)
                    row[x] = new Rgb24((byte)(x / 47), (byte)(y / 36), (byte)((x ^ y) >> 6));
            }
        });
        var part = $"{file}.{Environment.ProcessId}.jpg";
        image.SaveAsJpeg(part);
        File.Move(part, file, overwrite: true);
        return file;
    }

    /// <summary>A line of /proc/self/status in KiB.</summary>
    private static long Status(string name) => File.ReadLines("/proc/self/status")
        .Where(line => line.StartsWith(name + ":", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split([" ", "\t"], StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture)).Single();
}
