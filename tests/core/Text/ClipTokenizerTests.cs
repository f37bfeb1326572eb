using Sdxl.Core.Text;

namespace Sdxl.Tests.Core.Text;

public sealed class ClipTokenizerTests
{
    private static readonly ClipTokenizer s_first = ClipTokenizer.Load(Path.Combine(TestPaths.Models, "toy-sdxl", "tokenizer"));
    private static readonly ClipTokenizer s_second = ClipTokenizer.Load(Path.Combine(TestPaths.Models, "toy-sdxl", "tokenizer_2"));

    [Fact]
    public void The_first_tokenizer_pads_with_the_end_token_and_the_second_with_an_exclamation_mark()
    {
        Assert.Equal(s_first.EndOfText, s_first.Encode("a cat")[^1]);
        Assert.Equal(0, s_second.Encode("a cat")[^1]);
    }

    [Fact]
    public void A_text_that_is_too_long_is_cut_and_keeps_its_end_token()
    {
        var ids = s_first.Encode(string.Join(' ', Enumerable.Repeat("cat", 200)));
        Assert.Equal(77, ids.Length);
        Assert.Equal(s_first.EndOfText, ids[^1]);
        Assert.Equal(1, ids.Count(id => id == s_first.EndOfText));
    }

    [Fact]
    public void A_new_token_is_found_inside_a_word_and_only_in_its_own_case()
    {
        var tokenizer = s_first.WithAddedTokens(["<s0>", "<s10>", "<s1>"]);
        var size = s_first.VocabularySize;
        Assert.Contains(size + 1, tokenizer.Tokenize("cat<s10>cat"));
        Assert.DoesNotContain(size, tokenizer.Tokenize("<S0>"));
        Assert.Equal(size + 3, tokenizer.VocabularySize);
        Assert.Equal(s_first.VocabularySize, size);
    }

    [Fact]
    public void A_known_token_is_not_added_twice() =>
        Assert.Equal(s_first.VocabularySize + 1, s_first.WithAddedTokens(["<s0>", "<s0>", "cat</w>"]).VocabularySize);

    [Fact]
    public void A_lone_surrogate_does_not_stop_it() => Assert.NotEmpty(s_first.Tokenize("a \uD83D cat"));

    [Fact]
    public void A_folder_without_merges_is_refused_by_name()
    {
        var error = Assert.Throws<FileNotFoundException>(() => ClipTokenizer.Load(Path.GetTempPath()));
        Assert.Contains("vocab.json", error.Message);
    }
}
