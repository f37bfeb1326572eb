using System.Text.Json;
using Sdxl.Core.Text;

namespace Sdxl.Tests.Core.Text;

/// <summary>Ids as transformers' two CLIP tokenizers give them, with the toy vocabulary and with CLIP's own.</summary>
public sealed class ClipTokenizerGoldenTests
{
    /// <summary>Which golden file, which of SDXL's two tokenizers, where vocabulary and padding rule come from.</summary>
    public static TheoryData<string, string> Tokenizers => new()
    {
        { "tokenizer.json", "tokenizer" }, { "tokenizer.json", "tokenizer_2" },
        { "clip-tokenizer.json", "tokenizer" }, { "clip-tokenizer.json", "tokenizer_2" },
    };

    [Theory, MemberData(nameof(Tokenizers))]
    public void Every_text_gets_the_ids_of_transformers(string golden, string tokenizerName)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden(golden)));
        var tokenizer = Open(golden, tokenizerName);
        AssertCases(json.RootElement.GetProperty("cases"), tokenizerName, tokenizer);
    }

    [Theory, MemberData(nameof(Tokenizers))]
    public void Texts_with_new_tokens_get_the_ids_of_transformers(string golden, string tokenizerName)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden(golden)));
        var added = json.RootElement.GetProperty("with_new_tokens");
        string[] tokens = [.. added.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)];
        var plain = Open(golden, tokenizerName);
        var tokenizer = plain.WithAddedTokens(tokens);
        Assert.Equal(plain.VocabularySize + tokens.Length, tokenizer.VocabularySize);
        AssertCases(added.GetProperty("cases"), tokenizerName, tokenizer);
    }

    private static void AssertCases(JsonElement cases, string tokenizerName, ClipTokenizer tokenizer)
    {
        foreach (var testCase in cases.EnumerateArray())
        {
            if (!testCase.TryGetProperty(tokenizerName, out var ids))
                continue;                                   // the goldens give new tokens for the first tokenizer only
            int[] expected = [.. ids.EnumerateArray().Select(id => id.GetInt32())];
            var text = testCase.GetProperty("text").GetString()!;
            Assert.True(expected.SequenceEqual(tokenizer.Encode(text, expected.Length)),
                $"'{text}': expected {string.Join(' ', expected)}, found {string.Join(' ', tokenizer.Encode(text, expected.Length))}");
        }
    }

    private static ClipTokenizer Open(string golden, string tokenizerName)
    {
        // The model that lies there with both of SDXL's tokenizers, whatever its name.
        var toy = Directory
            .GetDirectories(TestPaths.Goldens, tokenizerName, SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .First(folder =>
                Directory.Exists(Path.Combine(folder, "..", "tokenizer")) && Directory.Exists(Path.Combine(folder, "..", "tokenizer_2"))
            );
        var own = TestPaths.Golden(Path.GetFileNameWithoutExtension(golden));
        if (!Directory.Exists(own))
            return ClipTokenizer.Load(toy);

        // CLIP's own vocabulary comes without configuration; which token pads is the tiny model's.
        var folder = Directory.CreateTempSubdirectory("sdxl-clip-tokenizer-").FullName;
        try
        {
            foreach (var file in new[] { "vocab.json", "merges.txt" })
                File.Copy(Path.Combine(own, file), Path.Combine(folder, file));
            File.Copy(Path.Combine(toy, "special_tokens_map.json"), Path.Combine(folder, "special_tokens_map.json"));
            return ClipTokenizer.Load(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
