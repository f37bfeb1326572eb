using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Sdxl.Core.Text;

/// <summary>
/// CLIP's byte-level BPE tokenizer: text to ids as SDXL's text encoders and CLIPSeg expect them. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// Added tokens (special ones, and new ones such as &lt;s0&gt;) are cut out of the raw text first, longest first, case-sensitively. What
/// lies between is composed (NFC), lower-cased and cut into words by CLIP's pattern ('s 't 're 've 'm 'll 'd | letters | one digit | other
/// marks); each word's UTF-8 bytes are merged by rank, its end marked by &lt;/w&gt;. Source: openai/CLIP simple_tokenizer.py; transformers
/// models/clip/tokenization_clip.py.
/// </remarks>
public sealed class ClipTokenizer
{
    private const string StartText = "<|startoftext|>", EndText = "<|endoftext|>", EndOfWord = "</w>";
    private const int CachedWords = 20_000;

    private static readonly string[] s_contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private static readonly string[] s_byteSymbols = ByteSymbols();

    private readonly IReadOnlyDictionary<string, int> _vocabulary;
    private readonly IReadOnlyDictionary<(string Left, string Right), int> _ranks;
    private readonly IReadOnlyDictionary<string, int> _added;
    private readonly string[] _addedLongestFirst;
    private readonly SearchValues<char> _addedFirsts;
    private readonly ConcurrentDictionary<string, int[]> _words = new();

    private ClipTokenizer(
        IReadOnlyDictionary<string, int> vocabulary,
        IReadOnlyDictionary<(string, string), int> ranks,
        IReadOnlyDictionary<string, int> added,
        int padding
    )
    {
        (_vocabulary, _ranks, _added, Padding) = (vocabulary, ranks, added, padding);
        _addedLongestFirst = [.. added.Keys.OrderByDescending(token => token.Length)];
        _addedFirsts = SearchValues.Create([.. added.Keys.Select(token => token[0]).Distinct()]);
        StartOfText = vocabulary[StartText];
        EndOfText = vocabulary[EndText];
        VocabularySize = Math.Max(vocabulary.Values.Max(), added.Values.DefaultIfEmpty(-1).Max()) + 1;
    }

    /// <summary>Id that opens every encoded text (CLIP: 49406).</summary>
    public int StartOfText { get; }

    /// <summary>Id that closes every encoded text (CLIP: 49407); also stands for what the vocabulary lacks.</summary>
    public int EndOfText { get; }

    /// <summary>Id that fills the rest: the end token for SDXL's first encoder, "!" (0) for its second.</summary>
    public int Padding { get; }

    /// <summary>One more than the highest id, added tokens included (CLIP: 49408).</summary>
    public int VocabularySize { get; }

    /// <summary>
    /// Reads vocab.json and merges.txt, and where they exist special_tokens_map.json, tokenizer_config.json and added_tokens.json.
    /// </summary>
    /// <param name="folder">A tokenizer folder in transformers' layout.</param>
    /// <exception cref="FileNotFoundException">vocab.json or merges.txt is missing.</exception>
    /// <exception cref="InvalidDataException">The vocabulary lacks CLIP's start or end token, or the padding token.</exception>
    public static ClipTokenizer Load(string folder)
    {
        var vocabularyFile = Required(folder, "vocab.json");
        var vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(vocabularyFile))
            ?? throw new InvalidDataException($"{vocabularyFile}: expected an object of token to id, found null.");
        foreach (var token in new[] { StartText, EndText })
        {
            if (!vocabulary.ContainsKey(token))
                throw new InvalidDataException($"{vocabularyFile}: the token {token} is missing, so this is not a CLIP vocabulary.");
        }

        var ranks = new Dictionary<(string, string), int>();
        foreach (var line in File.ReadLines(Required(folder, "merges.txt")).Skip(1))        // the first line is the version
        {
            if (line.Split(' ') is [{ Length: > 0 } left, { Length: > 0 } right])
                ranks.TryAdd((left, right), ranks.Count);
        }

        var added = new Dictionary<string, int> { [StartText] = vocabulary[StartText], [EndText] = vocabulary[EndText] };
        foreach (var (token, id) in ReadAddedTokens(folder))
            added[token] = vocabulary.GetValueOrDefault(token, id);

        var padding = ReadPadding(folder) ?? EndText;
        if (!added.TryGetValue(padding, out var paddingId) && !vocabulary.TryGetValue(padding, out paddingId))
            throw new InvalidDataException($"{folder}: the padding token '{padding}' is not in vocab.json.");
        added.TryAdd(padding, paddingId);           // a padding token is special: "a!" is a, padding token; as transformers has it
        return new ClipTokenizer(vocabulary, ranks, added, paddingId);
    }

    /// <summary>The same tokenizer with new tokens, numbered from VocabularySize on in the given order; known ones keep their id.</summary>
    public ClipTokenizer WithAddedTokens(IEnumerable<string> tokens)
    {
        var added = new Dictionary<string, int>(_added);
        var next = VocabularySize;
        foreach (var token in tokens)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(token, nameof(tokens));
            if (added.ContainsKey(token))
                continue;
            added[token] = _vocabulary.TryGetValue(token, out var known) ? known : next++;
        }
        return new ClipTokenizer(_vocabulary, _ranks, added, Padding);
    }

    /// <summary>
    /// Start token, text, end token, padding: exactly <paramref name="length"/> ids. A longer text is cut, the end token kept.
    /// </summary>
    public int[] Encode(string text, int length = 77) => Encode(Tokenize(text), length);

    /// <summary>The same of a text's own ids.</summary>
    public int[] Encode(IReadOnlyCollection<int> tokens, int length = 77)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        var kept = Math.Min(tokens.Count, length - 2);
        var ids = new int[length];
        ids[0] = StartOfText;
        foreach (var (index, token) in tokens.Take(kept).Index())
            ids[1 + index] = token;
        ids[kept + 1] = EndOfText;
        Array.Fill(ids, Padding, kept + 2, length - kept - 2);
        return ids;
    }

    /// <summary>The text's own ids, without start, end and padding, uncut.</summary>
    public int[] Tokenize(string text)
    {
        var ids = new List<int>();
        var from = 0;
        for (var at = 0; at < text.Length; at++)
        {
            var next = text.AsSpan(at).IndexOfAny(_addedFirsts);
            if (next < 0)
                break;
            at += next;
            if (_addedLongestFirst.FirstOrDefault(token => string.CompareOrdinal(text, at, token, 0, token.Length) == 0) is not { } found)
                continue;
            TokenizePlain(text[from..at], ids);
            ids.Add(_added[found]);
            from = at + found.Length;
            at = from - 1;
        }
        TokenizePlain(text[from..], ids);
        return [.. ids];
    }

    /// <summary>Into how many words CLIP's pattern cuts a text: it has at least so many tokens, whatever the vocabulary.</summary>
    public static int WordsIn(string text) => Words(Lower(UnicodeNfc.Normalize(text))).Count();

    private void TokenizePlain(string text, List<int> ids)
    {
        if (text.Length == 0)
            return;
        foreach (var word in Words(Lower(UnicodeNfc.Normalize(text))))
        {
            if (!_words.TryGetValue(word, out var merged))
            {
                merged = Merge(word);
                if (_words.Count < CachedWords)
                    _words.TryAdd(word, merged);
            }
            ids.AddRange(merged);
        }
    }

    /// <summary>Python's and Rust's lower(): ToLowerInvariant, and the one letter that grows, I with a dot above.</summary>
    private static string Lower(string text) => text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>
    /// Cuts by CLIP's pattern. By hand and by code point, because .NET's Regex sees letters beyond U+FFFF as two surrogates.
    /// </summary>
    private static IEnumerable<string> Words(string text)
    {
        var at = 0;
        while (at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            if (Rune.IsWhiteSpace(rune))
            {
                at += rune.Utf16SequenceLength;
                continue;
            }
            var literal = LiteralAt(text, at);
            var end = literal is not null ? at + literal.Length
                : Rune.IsLetter(rune) ? RunOf(text, at, Rune.IsLetter)
                : IsNumber(rune) ? at + rune.Utf16SequenceLength
                : RunOf(text, at, static other => !Rune.IsWhiteSpace(other) && !Rune.IsLetter(other) && !IsNumber(other));
            yield return text[at..end];
            at = end;
        }
    }

    private static string? LiteralAt(string text, int at) => text[at] switch
    {
        '\'' => s_contractions.FirstOrDefault(literal => string.CompareOrdinal(text, at, literal, 0, literal.Length) == 0),
        '<' when string.CompareOrdinal(text, at, StartText, 0, StartText.Length) == 0 => StartText,
        '<' when string.CompareOrdinal(text, at, EndText, 0, EndText.Length) == 0 => EndText,
        _ => null,
    };

    private static int RunOf(string text, int at, Func<Rune, bool> belongs)
    {
        while (at < text.Length && Rune.GetRuneAt(text, at) is var rune && belongs(rune))
            at += rune.Utf16SequenceLength;
        return at;
    }

    private static bool IsNumber(Rune rune) => Rune.IsNumber(rune);         // \p{N}: digits, letters such as Ⅳ, others such as ½

    private int[] Merge(string word)
    {
        if (word is StartText or EndText)
            return [_vocabulary[word]];
        var parts = Encoding.UTF8.GetBytes(word).Select(value => s_byteSymbols[value]).ToList();
        parts[^1] += EndOfWord;
        while (parts.Count > 1)
        {
            var best = int.MaxValue;
            for (var i = 0; i + 1 < parts.Count; i++)
                best = Math.Min(best, _ranks.GetValueOrDefault((parts[i], parts[i + 1]), int.MaxValue));
            if (best == int.MaxValue)
                break;
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (_ranks.GetValueOrDefault((parts[i], parts[i + 1]), int.MaxValue) != best)
                    continue;
                parts[i] += parts[i + 1];
                parts.RemoveAt(i + 1);
            }
        }
        return [.. parts.Select(part => _vocabulary.GetValueOrDefault(part, EndOfText))];
    }

    /// <summary>
    /// GPT-2's way to write 256 bytes as visible characters: printable Latin-1 stands for itself, the rest counts up from U+0100.
    /// </summary>
    private static string[] ByteSymbols()
    {
        var symbols = new string[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var visible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            symbols[value] = ((char)(visible ? value : next++)).ToString();
        }
        return symbols;
    }

    private static string Required(string folder, string name)
    {
        var file = Path.Combine(folder, name);
        return File.Exists(file)
            ? file
            : throw new FileNotFoundException(
                $"Tokenizer folder '{folder}' has no {name}. Expected vocab.json and merges.txt; fetch models with ./sdxl models pull.",
                file
            );
    }

    private static string? ReadPadding(string folder)
    {
        foreach (var name in new[] { "special_tokens_map.json", "tokenizer_config.json" })
        {
            using var json = ReadOptional(folder, name);
            if (json is null || !json.RootElement.TryGetProperty("pad_token", out var padding))
                continue;
            if (padding.ValueKind == JsonValueKind.Object && padding.TryGetProperty("content", out var content))
                padding = content;                                      // written as a string or as an object, by age
            if (padding.ValueKind == JsonValueKind.String)
                return padding.GetString();
        }
        return null;
    }

    private static Dictionary<string, int> ReadAddedTokens(string folder)
    {
        var tokens = new Dictionary<string, int>();
        using (var config = ReadOptional(folder, "tokenizer_config.json"))
        {
            if (config is not null && config.RootElement.TryGetProperty("added_tokens_decoder", out var byId))
            {
                foreach (var entry in byId.EnumerateObject())
                {
                    if (
                        int.TryParse(entry.Name, out var id)
                        && entry.Value.TryGetProperty("content", out var content)
                        && content.GetString() is { Length: > 0 } token
                    )
                        tokens[token] = id;
                }
            }
        }
        using var list = ReadOptional(folder, "added_tokens.json");
        foreach (var entry in list?.RootElement.EnumerateObject().ToArray() ?? [])
            tokens[entry.Name] = entry.Value.GetInt32();
        return tokens;
    }

    private static JsonDocument? ReadOptional(string folder, string name)
    {
        var file = Path.Combine(folder, name);
        return File.Exists(file) ? JsonDocument.Parse(File.ReadAllBytes(file)) : null;
    }
}
