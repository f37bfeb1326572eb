using Sdxl.Vision.Crops;
using Sdxl.Pictures;

namespace Sdxl.Tests.Vision.Crops;

public sealed class SquareCropTests
{
    [Fact]
    public void A_flat_mask_crops_the_middle() =>
        Assert.Equal(new SquareCrop(50, 0, 100), SquareCrop.Around(PixelGrid.Flat(200, 100, 1, 255)));

    [Fact]
    public void A_black_mask_crops_the_middle() =>
        Assert.Equal(new SquareCrop(0, 50, 100), SquareCrop.Around(PixelGrid.Flat(100, 200, 1, 0)));

    [Fact]
    public void The_crop_follows_the_centre_of_mass() =>
        Assert.Equal(new SquareCrop(80, 0, 100), SquareCrop.Around(Masked(300, 100, from: 120, to: 140)));

    [Fact]
    public void The_crop_stays_inside_the_picture() =>
        Assert.Equal(new SquareCrop(0, 200, 100), SquareCrop.Around(Masked(100, 300, from: 290, to: 300, upright: true)));

    [Theory]
    [InlineData(0, 100)]
    [InlineData(37, 137)]
    [InlineData(150, 249)]
    [InlineData(205, 300)]
    public void A_subject_that_fits_is_never_cut(int from, int to)
    {
        // Something bright but small far away pulls the centre of mass off the subject.
        var mask = Masked(300, 100, from, to, value: 160);
        for (var y = 0; y < 100; y++)
            mask.Data.AsSpan(y * 300 + (from < 150 ? 280 : 0), 20).Fill((byte)(y < 40 ? 79 : 0));
        var crop = SquareCrop.Around(mask);
        Assert.InRange(crop.Left, Math.Max(0, to - 100), from);
    }

    [Fact]
    public void A_subject_that_does_not_fit_is_cut_on_both_sides_alike() =>
        Assert.Equal(new SquareCrop(85, 0, 100), SquareCrop.Around(Masked(300, 100, from: 60, to: 210)));

    private static PixelGrid Masked(int width, int height, int from, int to, bool upright = false, byte value = 255)
    {
        var mask = new PixelGrid(width, height, 1);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                mask.Data[y * width + x] = (upright ? y : x) >= from && (upright ? y : x) < to ? value : (byte)0;
        }
        return mask;
    }
}
