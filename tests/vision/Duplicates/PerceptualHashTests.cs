using Sdxl.Vision.Duplicates;
using Sdxl.Vision.Pictures;

namespace Sdxl.Tests.Vision.Duplicates;

public sealed class PerceptualHashTests
{
    [Fact]
    public void A_scaled_and_a_brightened_picture_are_near_duplicates_and_others_are_not()
    {
        var source = Shared.Golden("face.png");
        var small = PictureResizer.Resize(source, 77, 77, ResizeFilter.Bilinear);
        var bright = new PixelGrid(source.Width, source.Height, 3, [.. source.Data.Select(value => (byte)Math.Min(255, value + 12))]);
        ulong[] hashes = [.. new[] { source, Shared.Golden("house.png"), small, Shared.Golden("fish.png"), bright }.Select(PerceptualHash.Of)];
        Assert.Equal([(0, 2), (0, 4), (2, 4)], PerceptualHash.NearDuplicates(hashes).Select(pair => (pair.First, pair.Second)));
    }
}
