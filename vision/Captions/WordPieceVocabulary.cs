using System.Text.Json;
using Sdxl.Vision.Models;

namespace Sdxl.Vision.Captions;

/// <summary>BERT's word pieces, read only to turn ids back into text; thread-safe.</summary>
/// <remarks>Source: transformers models/bert/tokenization_bert.py and clean_up_tokenization in tokenization_utils_base.py.</remarks>
public sealed class WordPieceVocabulary
{
    private static readonly (string Apart, string Together)[] s_cleanUps =
    [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];

    private readonly Dictionary<long, string> _pieces;

    private WordPieceVocabulary(Dictionary<long, string> pieces) => _pieces = pieces;

    /// <summary>Reads vocab.txt (one piece a line, its line number the id) and, where it exists, added_tokens.json.</summary>
    public static WordPieceVocabulary Load(string folder)
    {
        var file = Path.Combine(folder, "vocab.txt");
        if (!File.Exists(file))
            throw new ModelFileMissingException(file);
        var pieces = new Dictionary<long, string>();
        foreach (var (id, piece) in File.ReadLines(file).Index())
            pieces[id] = piece;
        var added = Path.Combine(folder, "added_tokens.json");
        if (File.Exists(added))
        {
            foreach (var (piece, id) in JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllBytes(added)) ?? [])
                pieces[id] = piece;
        }
        return new WordPieceVocabulary(pieces);
    }

    /// <summary>
    /// The text of the ids without special pieces ([CLS], [DEC] …): "##" joins to the piece before, punctuation to the word before.
    /// </summary>
    public string Decode(IEnumerable<long> ids)
    {
        var words = new List<string>();
        foreach (var id in ids)
        {
            var piece = _pieces.GetValueOrDefault(id, "[UNK]");
            if (piece is ['[', .., ']'])
                continue;
            if (piece.StartsWith("##", StringComparison.Ordinal) && words.Count > 0)
                words[^1] += piece[2..];
            else
                words.Add(piece);
        }
        return s_cleanUps
            .Aggregate(string.Join(' ', words), (text, rule) => text.Replace(rule.Apart, rule.Together, StringComparison.Ordinal))
            .Trim();
    }
}
