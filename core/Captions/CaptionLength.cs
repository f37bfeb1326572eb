using System.Collections.Concurrent;
using Sdxl.Core.Bases;
using Sdxl.Core.Text;

namespace Sdxl.Core.Captions;

/// <summary>
/// What of a caption the text encoders read: 75 tokens between start and end. A longer one is trained without its end; a trigger word that
/// stood there is put in front.
/// </summary>
public sealed class CaptionLength
{
    /// <summary>Tokens of a caption that CLIP's text encoders read (77 with start and end).</summary>
    public const int ReadTokens = 75;

    private const char Mention = '\uE000';
    private const int ShownLetters = 70;

    private static readonly ConcurrentDictionary<string, ClipTokenizer> s_tokenizers = new(StringComparer.Ordinal);

    private readonly TriggerWords words;
    private readonly int vectorsPerWord;
    private readonly ClipTokenizer? tokenizer;

    /// <param name="triggerWord">One or several, TOK|CAT.</param>
    /// <param name="vectorsPerWord">Tokens that each mention of a trigger word takes.</param>
    /// <param name="tokenizer">null: words are counted, which finds only captions that are too long by far.</param>
    public CaptionLength(string triggerWord, int vectorsPerWord, ClipTokenizer? tokenizer) =>
        (words, this.vectorsPerWord, this.tokenizer) = (new TriggerWords(triggerWord), vectorsPerWord, tokenizer);

    /// <summary>With the base model's own tokenizer, or CLIPSeg's, which is the same; none where neither is on this machine.</summary>
    public static CaptionLength Of(BaseManifest baseModel, string triggerWord, int vectorsPerWord)
    {
        string[] folders =
        [
            Path.Combine(baseModel.ModelPath, "tokenizer"),
            Path.Combine(Path.ChangeExtension(baseModel.ModelPath, null), "tokenizer"), // of a single file: the folder of its name
            Path.Combine(baseModel.VisionFolder, "clipseg"),
        ];
        var folder = Array.Find(folders, path => File.Exists(Path.Combine(path, "vocab.json"))
            && File.Exists(Path.Combine(path, "merges.txt")));
        return new CaptionLength(triggerWord, vectorsPerWord, folder is null ? null : s_tokenizers.GetOrAdd(folder, ClipTokenizer.Load));
    }

    /// <summary>Tokens of a caption, each mention of a trigger word counted as its vectors.</summary>
    public int TokensOf(string caption)
    {
        var pieces = words.Replace(caption, [.. words.All.Select(_ => Mention.ToString())]).Split(Mention);
        return pieces.Sum(piece => tokenizer?.Tokenize(piece).Length ?? ClipTokenizer.WordsIn(piece))
            + (pieces.Length - 1) * vectorsPerWord;
    }

    /// <returns>The caption, with the trigger words that its end would lose in front; and a sentence about what is cut, null where nothing
    /// is.</returns>
    public (string Caption, string? Warning) Fit(string caption)
    {
        var tokens = TokensOf(caption);
        if (tokens <= ReadTokens)
            return (caption, null);
        var cut = WhereCut(caption);
        var lost = words.In(caption).Except(words.In(caption[..cut])).ToList();
        var moved = "";
        if (lost.Count > 0)
        {
            var front = string.Join(", ", lost) + ", ";
            caption = front + caption;
            cut = WhereCut(caption);
            moved = $" {string.Join(" and ", lost)} stood in what is cut and {Plural.Verb(lost.Count, "is", "are")} put in front.";
        }
        var end = caption[cut..].Trim();
        return (
            caption,
            $"has {tokens} tokens where {ReadTokens} are read; this is cut: "
                + $"\"{(end.Length <= ShownLetters ? end : end[..ShownLetters] + "…")}\".{moved}"
        );
    }

    /// <summary>The length of the longest beginning that is read, in letters; at a space where there is one.</summary>
    private int WhereCut(string caption)
    {
        var (fits, fails) = (0, caption.Length);
        while (fails - fits > 1)
        {
            var middle = (fits + fails) / 2;
            if (TokensOf(caption[..middle]) <= ReadTokens)
                fits = middle;
            else
                fails = middle;
        }
        var space = caption.AsSpan(0, Math.Min(fits + 1, caption.Length)).LastIndexOf(' ');
        if (space > fits - ShownLetters && space > 0)
            return space;
        return fits > 0 && char.IsLowSurrogate(caption[fits]) ? fits - 1 : fits;
    }
}
