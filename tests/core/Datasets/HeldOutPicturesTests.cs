using Sdxl.Core.Datasets;

namespace Sdxl.Tests.Core.Datasets;

/// <summary>Which pictures a training is not shown.</summary>
public sealed class HeldOutPicturesTests
{
    private static DatasetManifest Dataset(params string[] files) =>
        new(512, "TOK", [.. files.Select(f => new DatasetPicture(f, f, f, "TOK", 512, 512, 0, 0, f))]);

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "e")]
    [InlineData(2, "c,g")]
    [InlineData(4, "b,d,f,h")]
    [InlineData(9, "b,d,f,h")] // half at most
    public void They_are_spread_over_the_data_set_and_no_more_than_half_of_it(int wanted, string expected) =>
        Assert.Equal(expected, string.Join(',', HeldOutPictures.Of(Dataset("a", "b", "c", "d", "e", "f", "g", "h"), wanted)));

    [Fact]
    public void A_picture_that_counts_several_times_is_one_picture() =>
        Assert.Equal(["b"], HeldOutPictures.Of(Dataset("a", "b", "b", "b", "b", "c"), 1));

    [Fact]
    public void The_only_picture_is_trained_on() => Assert.Empty(HeldOutPictures.Of(Dataset("a", "a"), 1));
}
