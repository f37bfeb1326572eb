using Sdxl.Vision.Faces;
using Sdxl.Vision.Masks;

namespace Sdxl.Tests.Vision.Masks;

public sealed class FaceMaskerTests
{
    [Fact]
    public void All_faces_are_in_one_mask_and_fade_outwards()
    {
        var mask = FaceMasker.Mask([Face(20, 20, 40), Face(120, 30, 20)], 200, 100);
        Assert.Equal((200, 100, 1), (mask.Width, mask.Height, mask.Channels));
        Assert.Equal(255, At(40, 40));
        Assert.Equal(255, At(130, 40));
        Assert.Equal(0, At(90, 40));
        Assert.Equal(0, At(199, 99));
        var edge = Enumerable.Range(60, 16).Select(x => (int)At(x, 40)).ToArray();
        Assert.Equal(edge.OrderDescending(), edge);
        Assert.Contains(edge, value => value is > 20 and < 235);

        byte At(int x, int y) => mask.Data[y * 200 + x];
    }

    [Fact]
    public void A_face_beyond_the_border_does_not_matter() => Assert.Equal(255, FaceMasker.Mask([Face(-20, -20, 60)], 100, 100).Data[0]);

    private static FaceBox Face(float x, float y, float side) => new(0.9f, x, y, side, side, new float[10]);
}
