using Sdxl.GpuWorker.Storage;
using Sdxl.Pictures;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.GpuWorker.Tests;

public sealed class ThumbnailsTests
{
    [Theory]
    [InlineData(1024, 768, 320, 240)]
    [InlineData(64, 640, 32, 320)]
    [InlineData(64, 64, 64, 64)] // never enlarged
    public void A_thumbnail_is_a_WebP_of_the_same_picture_within_320_pixels(int width, int height, int smallWidth, int smallHeight)
    {
        var picture = new PixelGrid(width, height, 3);
        for (var i = 0; i < picture.Data.Length; i += 3)
            (picture.Data[i], picture.Data[i + 1], picture.Data[i + 2]) = (200, 100, 50);

        var bytes = Thumbnails.Of(picture);

        Assert.Equal("image/webp", Image.DetectFormat(bytes).DefaultMimeType);
        using var small = Image.Load<Rgb24>(bytes);
        Assert.Equal((smallWidth, smallHeight), (small.Width, small.Height));
        var middle = small[small.Width / 2, small.Height / 2];
        Assert.True(
            Math.Abs(middle.R - 200) <= 4 && Math.Abs(middle.G - 100) <= 4 && Math.Abs(middle.B - 50) <= 4, $"{middle} for 200, 100, 50");
    }
}
