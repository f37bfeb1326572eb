using Sdxl.Pictures;

namespace Sdxl.Tests.Pictures;

[Collection(nameof(Alone))]
public sealed class PictureMemoryTests
{
    /// <summary>108 megapixels whole would be 324 MB in red green blue alone.</summary>
    [Fact]
    public void A_jpeg_of_12000_by_9000_is_decoded_within_256_MiB()
    {
        using var stream = File.OpenRead(LargePictures.Jpeg());
        LoadedPicture? loaded = null;
        var peak = PeakMemory.Megabytes(() => loaded = Shared.Loader.Load(stream, "large.jpg", maxSide: 4096));
        Assert.Equal((12000, 9000), (loaded!.Width, loaded.Height));
        Assert.Equal((4096, 3072), (loaded.Pixels.Width, loaded.Pixels.Height));
        Assert.InRange(peak, 32, 256);                                  // what comes out is 36 MiB
    }

    /// <summary>Each has less than 2 MB and claims gigabytes.</summary>
    [Fact]
    public void Bombs_of_every_format_take_no_memory()
    {
        (string Name, byte[] File)[] bombs =
        [
            ("png", LargePictures.PngHeader(100_000, 100_000)),
            ("jpeg", LargePictures.JpegHeader(65_500)),
            ("progressive jpeg", LargePictures.JpegHeader(9_000, frame: 0xC2)),
            ("gif", LargePictures.Gif(65_535, 65_535)),
            ("bmp", LargePictures.BmpHeader(100_000, 100_000, 24)),
            ("bmp upside down", LargePictures.BmpHeader(30_000, -2_000_000_000, 24)),
            ("bmp of the least height", LargePictures.BmpHeader(30_000, int.MinValue, 24)),
            ("webp", LargePictures.WebpHeader(16_383)),
            ("tiff", LargePictures.Tiff(100_000, 100_000, strips: 1)),
            ("tiff of negative size", LargePictures.Tiff(-1, 10, strips: 1)),
        ];
        foreach (var (name, file) in bombs)
        {
            Assert.InRange(file.Length, 1, 2 << 20);
            using var stream = new MemoryStream(file);
            Assert.InRange(
                PeakMemory.Megabytes(() => Assert.Throws<PictureRefusedException>(() => Shared.Loader.Load(stream, name))),
                0,
                32
            );
        }
        using var beyond = new MemoryStream(LargePictures.Gif(1, 65_535));        // what lies beyond the screen is not there
        Assert.InRange(PeakMemory.Megabytes(() => Assert.Equal(1, Shared.Loader.Load(beyond, "gif frame beyond its screen").Width)), 0, 32);
        using var text = new MemoryStream(LargePictures.PngWithText(1024));
        Assert.InRange(PeakMemory.Megabytes(() => Assert.Equal(1, Shared.Loader.Load(text, "text.png").Width)), 0, 128);
    }

    [Fact]
    public void Fixture_files_that_are_refused_take_no_memory_whatever_they_claim()
    {
        foreach (var entry in Shared.Json(TestPaths.Fixture("pictures.json")).GetProperty("refused").EnumerateArray())
        {
            var file = TestPaths.Fixture("pictures", entry.GetProperty("file").GetString()!);
            Assert.InRange(PeakMemory.Megabytes(() => Assert.Throws<PictureRefusedException>(() => Shared.Picture(file))), 0, 32);
        }
    }
}
