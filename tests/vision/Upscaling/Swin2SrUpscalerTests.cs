using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Tests.Vision.Upscaling;

public sealed class Swin2SrUpscalerTests
{
    [Theory]
    [InlineData(150, 90)]
    [InlineData(96, 161)]
    [InlineData(65, 64)]
    public void In_tiles_it_is_the_same_to_a_level_on_average_and_nowhere_a_seam(int width, int height)
    {
        var source = PictureResizer.Resize(Shared.Golden("house.png"), width, height, ResizeFilter.Bicubic);
        using var small = new VisionModels(TestPaths.Models, new VisionOptions { UpscaleTile = 64 });
        using var large = new VisionModels(TestPaths.Models, new VisionOptions { UpscaleTile = 512 });
        var tiled = small.Upscaler.Upscale(source);
        var whole = large.Upscaler.Upscale(source);
        Assert.Equal((width * 4, height * 4), (tiled.Width, tiled.Height));
        Assert.InRange(Shared.MeanDifference(whole, tiled), 0, 1);
        // A seam would show as one row or column that differs far more than the rest.
        Assert.InRange(Lines(whole, tiled, alongRows: true).Max(), 0, 4);
        Assert.InRange(Lines(whole, tiled, alongRows: false).Max(), 0, 4);
    }

    [Fact]
    public void A_large_enough_picture_is_not_touched()
    {
        var source = Shared.Golden("house-small.png");
        Assert.Equal((source, 0), Shared.Models.Upscaler.UpscaleTo(source, 64));
    }

    [Fact]
    public void A_tiny_picture_is_upscaled_until_it_is_large_enough()
    {
        var tiny = PictureResizer.Resize(Shared.Golden("house.png"), 11, 5, ResizeFilter.Bicubic);
        var (picture, times) = Shared.Models.Upscaler.UpscaleTo(tiny, 64);
        Assert.Equal((2, 176, 80), (times, picture.Width, picture.Height));
    }

    private static double[] Lines(PixelGrid a, PixelGrid b, bool alongRows)
    {
        var sums = new double[alongRows ? a.Height : a.Width];
        for (var i = 0; i < a.Data.Length; i++)
            sums[alongRows ? i / (3 * a.Width) : i / 3 % a.Width] += Math.Abs(a.Data[i] - b.Data[i]);
        return [.. sums.Select(sum => sum * sums.Length / a.Data.Length)];
    }
}
