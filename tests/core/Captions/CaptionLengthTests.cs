using Sdxl.Core.Captions;
using Sdxl.Core.Text;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionLengthTests
{
    private static readonly ClipTokenizer s_tokenizer = ClipTokenizer.Load(TestPaths.Golden("clip-tokenizer"));
    private static readonly CaptionLength s_length = new("TOK|CAT", 2, s_tokenizer);

    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("cat", count))
        .Replace("cat", "dog", StringComparison.Ordinal);

    [Fact]
    public void A_mention_of_the_trigger_counts_as_its_vectors() =>
        Assert.Equal(2 + s_tokenizer.Tokenize("on the grass").Length, s_length.TokensOf("TOK on the grass"));

    [Fact]
    public void A_caption_that_just_fits_is_left_alone()
    {
        var one = s_tokenizer.Tokenize("dog").Length;
        var caption = $"TOK {Words((CaptionLength.ReadTokens - 2) / one)}";
        Assert.Equal((caption, null), s_length.Fit(caption));
    }

    [Fact]
    public void Words_that_the_cut_would_lose_come_first_and_no_word_is_taken_out()
    {
        var caption = $"TOK beside {Words(200)} and CAT";
        var (fitted, warning) = s_length.Fit(caption);
        Assert.Equal($"CAT, {caption}", fitted);
        Assert.EndsWith("CAT stood in what is cut and is put in front.", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void The_cut_stands_where_the_tokens_end()
    {
        var (_, warning) = s_length.Fit("TOK " + string.Join(' ', Enumerable.Range(100, 60)));
        var first = int.Parse(warning!.Split('"')[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        var kept = "TOK " + string.Join(' ', Enumerable.Range(100, first - 100));
        Assert.InRange(s_length.TokensOf(kept), CaptionLength.ReadTokens - 3, CaptionLength.ReadTokens);
    }

    [Fact]
    public void Without_a_tokenizer_words_are_counted() =>
        Assert.NotNull(new CaptionLength("TOK", 2, null).Fit("TOK " + Words(80)).Warning);
}
