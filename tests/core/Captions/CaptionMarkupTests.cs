using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionMarkupTests
{
    [Theory]
    [InlineData("(TOK:1.3), [blurry]", "TOK, blurry")]
    [InlineData("((best (TOK:1.2) ever))", "best TOK ever")]
    [InlineData("<lora:tok:0.8> TOK <lyco:x:1> smiling", "TOK smiling")]
    [InlineData("[trigger], (red:0.5) hat", "[trigger], red hat")]
    public void Weights_and_tags_are_taken_out_and_named(string given, string expected)
    {
        var (text, warning) = CaptionMarkup.TakeOut(given);
        Assert.Equal(expected, text);
        Assert.Contains($"it is read as \"{expected}\"", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TOK (left) and a friend [out of focus]")]
    [InlineData("TOK (taken at 10:30)")]
    [InlineData("a ratio (16:9) of 1 : 2")]
    [InlineData("5 < 6 <s0> :)")]
    public void Brackets_of_ordinary_captions_stay(string given) => Assert.Equal((given, null), CaptionMarkup.TakeOut(given));

    [Fact]
    public void Escaped_brackets_are_brackets() => Assert.Equal(("TOK (cosplay), smiling", null),
        CaptionMarkup.TakeOut(@"TOK \(cosplay\), smiling"));
}
