using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionPairingTests
{
    private static CaptionPairing Join(string[] pictures, params string[] named) =>
        CaptionPairing.Join([new CaptionTable([.. named.Select((name, i) => new CaptionRow("caption.csv", i + 2, name, $"caption {i}"))], [])], pictures);

    [Theory]
    [InlineData("p/Cat 1.jpg")]
    [InlineData("Cat 1.jpg")]
    [InlineData("./Cat 1.jpg")]
    [InlineData("cat 1.JPG")]
    [InlineData(@"C:\Users\me\Cat 1.jpg")]
    [InlineData("Cat 1")]
    public void A_picture_is_found_by_any_usual_spelling(string name)
    {
        var pairing = Join(["p/Cat 1.jpg", "p/Cat 10.jpg"], name);
        Assert.Equal("caption 0", pairing.Captions["p/Cat 1.jpg"].Caption);
        Assert.Equal(["p/Cat 10.jpg"], pairing.Uncaptioned);
        Assert.Empty(pairing.Warnings);
    }

    [Fact]
    public void Composed_and_decomposed_accents_are_the_same_name() =>
        Assert.Single(Join(["e\u0301te\u0301.jpg"], "\u00e9t\u00e9.jpg").Captions);

    [Fact]
    public void Another_extension_joins_with_a_warning()
    {
        var pairing = Join(["cat.jpg"], "cat.png");
        Assert.Single(pairing.Captions);
        Assert.Contains("'cat.jpg' is taken for it", Assert.Single(pairing.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_ambiguous_name_joins_nothing()
    {
        var pairing = Join(["a/cat.jpg", "b/cat.jpg"], "cat.jpg", "b/cat.jpg");
        Assert.Equal("caption 1", Assert.Single(pairing.Captions).Value.Caption);
        Assert.Contains("may be 'a/cat.jpg' or 'b/cat.jpg'", Assert.Single(pairing.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_without_a_picture_and_second_rows_are_reported()
    {
        var pairing = Join(["a.jpg", "b.jpg"], "a.jpg", "ghost.jpg", "a.jpg", "");
        Assert.Equal("caption 0", pairing.Captions["a.jpg"].Caption);
        Assert.Equal(["b.jpg"], pairing.Uncaptioned);
        Assert.Equal(3, pairing.Warnings.Count);
        Assert.Contains("line 3: picture 'ghost.jpg' is not in the archive", pairing.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("line 4: picture 'a.jpg' has a caption already (line 2)", pairing.Warnings[1], StringComparison.Ordinal);
        Assert.Contains("line 5: names no picture", pairing.Warnings[2], StringComparison.Ordinal);
    }
}
