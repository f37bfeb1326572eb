using System.Globalization;
using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class WeightedPromptTests
{
    [Theory]
    [InlineData("a (TOK:1.3) on grass", "a |TOK:1.3| on grass")]
    [InlineData("((word)) and (word), [word]", "word:1.21| and |word:1.1|, |word:0.9091")]
    [InlineData("((a:2) b:0.5)", "a:1| b:0.5")]
    [InlineData(@"TOK \(cosplay\), (hat:1.5)", "TOK (cosplay), |hat:1.5")]
    [InlineData("<lora:x:0.8> TOK (left)", "  TOK |left:1.1")]
    [InlineData("(a: -1 ) b", "a:-1| b")]
    [InlineData("(a:.5)", "a:0.5")]
    [InlineData("(taken at 10:30) by (TOK:2)", "taken at 10:30:1.1| by |TOK:2")]
    [InlineData("a :( face (TOK:2)", "a :|( face |TOK:2")]
    [InlineData("smile :) and ] (TOK:2)", "smile :) and ] |TOK:2")]
    [InlineData("[a (b:2]", "[a (b:2]")]
    [InlineData("TOK (left) and a friend [out of focus]", "TOK (left) and a friend [out of focus]")]
    [InlineData("a ratio (16:9) of 1 : 2", "a ratio (16:9) of 1 : 2")]
    [InlineData("  two  spaces ", "  two  spaces ")]
    [InlineData("", "")]
    public void Pieces_and_their_weights(string prompt, string expected) =>
        Assert.Equal(expected, string.Join('|', WeightedPrompt.Parse(prompt).Pieces.Select(p =>
            p.Weight == 1 && !prompt.StartsWith("((a:2)", StringComparison.Ordinal) ? p.Text
                : string.Create(CultureInfo.InvariantCulture, $"{p.Text}:{p.Weight:0.####}"))));

    [Fact]
    public void The_words_alone_are_the_pieces_together()
    {
        var prompt = WeightedPrompt.Parse("a (TOK:1.3)'s hat");
        Assert.Equal("a TOK's hat", prompt.Text);
        Assert.True(prompt.IsWeighted);
        Assert.False(WeightedPrompt.Parse("a (TOK:1)").IsWeighted);
    }
}
