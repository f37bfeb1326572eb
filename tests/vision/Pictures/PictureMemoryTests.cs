using System.Diagnostics;
using System.Globalization;
using Sdxl.Vision;
using Sdxl.Vision.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Vision.Pictures;

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
