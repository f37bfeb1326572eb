using Sdxl.Core.Text;

namespace Sdxl.Tests.Core.Text;

/// <summary>Examples from Unicode Standard Annex 15 and its NormalizationTest.txt.</summary>
public sealed class UnicodeNfcTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u212B", "\u00C5")]                                   // a singleton: Angstrom sign
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("a\u0315\u0300\u05AE\u0327b", "\u00E0\u0327\u05AE\u0315b")]   // reordered by class
    [InlineData("\u0958", "\u0915\u093C")]                             // excluded from composition
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]                       // Hangul
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\u0344", "\u0308\u0301")]
    public void Text_comes_out_composed(string text, string expected) => Assert.Equal(expected, UnicodeNfc.Normalize(text));
}
