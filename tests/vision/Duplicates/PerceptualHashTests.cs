using Sdxl.Vision.Duplicates;
using Sdxl.Pictures;

namespace Sdxl.Tests.Vision.Duplicates;

public sealed class PerceptualHashTests
{
    [Fact]
    public void A_scaled_and_a_brightened_picture_are_near_duplicates_and_others_are_not()
    {
        var source = Shared.Golden("face.png");
        var small = PictureResizer.Resize(source, 77, 77, ResizeFilter.Bilinear);
        var bright = new PixelGrid(source.Width, source.Height, 3, [.. source.Data.Select(value => (byte)Math.Min(255, value + 12))]);
        ulong[] hashes =
        [
            .. new[] { source, Shared.Golden("house.png"), small, Shared.Golden("fish.png"), bright }.Select(PerceptualHash.Of),
        ];
        Assert.Equal([(0, 2), (0, 4), (2, 4)], PerceptualHash.NearDuplicates(hashes).Select(pair => (pair.First, pair.Second)));
    }

    [Fact]
    public void Pictures_that_are_alike_through_a_third_are_one_group()
    {
        // 0 and 2 differ in 8 bits, each in 4 from 4; 1 is far from all; 3 and 5 are the same.
        ulong[] hashes = [0b1111_0000, 0xFFFF_0000_FFFF_0000, 0b0000_1111, 0xAAAA_AAAA_AAAA_AAAA, 0, 0xAAAA_AAAA_AAAA_AAAA];
        Assert.Equal([[0, 2, 4], [3, 5]], PerceptualHash.Groups(hashes));
        Assert.Empty(PerceptualHash.Groups([1]));
        Assert.Empty(PerceptualHash.Groups([]));
    }
}
