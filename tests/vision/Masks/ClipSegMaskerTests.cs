using Sdxl.Vision.Masks;

namespace Sdxl.Tests.Vision.Masks;

public sealed class ClipSegMaskerTests
{
    [Fact]
    public void Prompts_are_split_at_the_bar()
    {
        Assert.Equal(["a cat", "a hat"], ClipSegMasker.SplitPrompts(" a cat| a hat |"));
        Assert.Empty(ClipSegMasker.SplitPrompts(" | "));
        Assert.Empty(ClipSegMasker.SplitPrompts(null));
    }

    [Fact]
    public void What_any_of_several_prompts_names_is_in_the_mask()
    {
        var picture = Shared.Picture(TestPaths.Models, "samples.png").Crop(0, 0, 256, 256);
        var masker = Shared.Models.Masker;
        var first = masker.Mask(picture, ["a photo of a star"]);
        var both = masker.Mask(picture, ["a photo of a star", "a photo of a house"]);
        Assert.Equal(picture.Width, both.Width);
        Assert.Equal(255, both.Data.Max());
        // At full scale the union is nowhere darker than a part of it, up to the common scaling.
        Assert.True(both.Data.Average(value => (double)value) >= first.Data.Average(value => (double)value) - 1);
    }

    [Fact]
    public void A_lower_temperature_is_sharper()
    {
        var picture = Shared.Golden("star.png");
        double Unsure(double temperature) =>
            Shared.Models.Masker.Mask(picture, ["a photo of a star"], temperature).Data.Average(value => value is > 40 and < 215 ? 1.0 : 0);
        Assert.True(Unsure(0.25) < Unsure(1));
    }
}
