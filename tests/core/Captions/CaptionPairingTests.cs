using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionPairingTests
{
    private static CaptionPairing Join(string[] pictures, params string[] named) =>
        CaptionPairing.Join(
            [new CaptionTable([.. named.Select((name, i) => new CaptionRow("caption.csv", i + 2, name, $"caption {i}"))], [])],
            pictures
        );

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

    [Theory]
    [InlineData("Shot 9.41\u202FAM.png", "Shot 9.41 AM.png")]
    [InlineData("v\u00A013.05.png", "v 13.05.png")]
    [InlineData("IMG  1.png", "img 1.png")]
    [InlineData("My Cat .png", "My Cat.png")]
    [InlineData("Anna\u2019s cat.png", "Anna's cat")]
    [InlineData("a\u200Bb.png", "ab.png")]
    public void Spaces_and_quotes_that_look_alike_are_alike(string picture, string named)
    {
        var pairing = Join([picture], named);
        Assert.Single(pairing.Captions);
        Assert.Empty(pairing.Warnings);
    }

    [Fact]
    public void Of_names_that_look_alike_the_exact_one_counts_and_without_it_none()
    {
        Assert.Equal("caption 0", Join(["a b.png", "a  b.png", "a\u00A0b.png"], "a  b.png").Captions["a  b.png"].Caption);
        var pairing = Join(["a  b.png", "a\u00A0b.png"], "a b.png");
        Assert.Empty(pairing.Captions);
        Assert.Contains("may be", Assert.Single(pairing.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_speaks_of_its_own_folder_first()
    {
        CaptionTable Table(string folder) => new([new CaptionRow($"{folder}/metadata.csv", 2, "0.png", $"of {folder}")], []);
        var pairing = CaptionPairing.Join([Table("train"), Table("test")], ["test/0.png", "train/0.png"]);
        Assert.Equal("of test", pairing.Captions["test/0.png"].Caption);
        Assert.Equal("of train", pairing.Captions["train/0.png"].Caption);
        Assert.Empty(pairing.Warnings);
    }

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
