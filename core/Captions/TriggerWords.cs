using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>
/// The subjects' words in captions and prompts, one or several ("TOK", "TOK|CAT"): found on word borders and in any case ("tok" is TOK,
/// "tokyo" and "stoke" are not). Scripts that put no spaces between words border on everything: 公園でTOKの写真 names TOK. "[trigger]" stands for
/// the first. Whether a text may be one is decided where inputs are checked (TrainingInputs.TriggerWordProblem).
/// </summary>
public sealed class TriggerWords
{
    /// <summary>Between words where several are named in one text.</summary>
    public const char Separator = '|';

    // Chinese signs, kana, bopomofo, hangul (particles follow a word without a space), Thai, Lao, Burmese and Khmer.
    private const string Unspaced =
        @"\u3005-\u3007\u3031-\u3035\u303B\u3040-\u30FF\u3100-\u312F\u3130-\u318F\u31A0-\u31BF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uA960-\uA97F"
        + @"\uAC00-\uD7FF\uF900-\uFAFF\uFF66-\uFFDC\u1100-\u11FF\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF";

    private const string Joining = @"[\p{L}\p{N}_-[" + Unspaced + "]]"; // letters that make another word of the one beside them

    private readonly Regex any; // group w{i}: word i

    /// <param name="text">For example TOK, or TOK|CAT.</param>
    public TriggerWords(string text) : this(text.Split(Separator)) { }

    /// <exception cref="ArgumentException">There is none, or one is empty.</exception>
    public TriggerWords(IEnumerable<string> words)
    {
        All = [.. words.Select(w => w.Trim())];
        if (All.Count == 0 || All.Any(w => w.Length == 0))
            throw new ArgumentException("a trigger word has at least one letter, for example TOK", nameof(words));
        // Longer words first: of CAT and CAT TOY, "cat toy" is the second.
        var alternatives = All.Select((w, i) => (w, i)).OrderByDescending(p => p.w.Length)
            .Select(p => $"{Before(p.w)}(?<w{p.i}>{Regex.Escape(p.w)}){After(p.w)}");
        any = new Regex($@"\[trigger\]|{string.Join('|', alternatives)}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>As they are written in the captions, in the order of their vectors.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>The one that a caption gets which names none.</summary>
    public string First => All[0];

    /// <summary>Whether a caption names any.</summary>
    public bool IsIn(string caption) => any.IsMatch(caption);

    /// <summary>The caption with every mention spelled as here. All of them stay: without its second TOK "TOK's hat on TOK's head" has no
    /// meaning.</summary>
    public string Spelled(string caption) => any.Replace(caption, match => All[IndexOf(match)]);

    /// <summary>Those that a caption names, in their own order.</summary>
    public IReadOnlyList<string> In(string caption)
    {
        var found = any.Matches(caption).Select(IndexOf).ToHashSet();
        return [.. All.Where((_, i) => found.Contains(i))];
    }

    /// <summary>The caption without the words.</summary>
    public string Without(string caption) => Tidy(any.Replace(caption, ""));

    /// <summary>Every mention replaced, for prompts: the trained vectors ("&lt;s0&gt;&lt;s1&gt;") stand in for the word.</summary>
    /// <param name="replacements">For each of <see cref="All"/>.</param>
    public string Replace(string text, IReadOnlyList<string> replacements) => any.Replace(text, match => replacements[IndexOf(match)]);

    private static string Before(string word) => IsUnspaced(word[0]) ? "" : $"(?<!{Joining})";

    private static string After(string word) => IsUnspaced(word[^1]) ? "" : $"(?!{Joining})";

    private static bool IsUnspaced(char letter) => Regex.IsMatch(letter.ToString(), $"[{Unspaced}]");

    private int IndexOf(Match match) => Enumerable.Range(0, All.Count).FirstOrDefault(i => match.Groups[$"w{i}"].Success);

    private static string Tidy(string text)
    {
        var spaced = Regex.Replace(text, @"\s+", " ");
        var commas = Regex.Replace(spaced, @"\s+([,.;:!?])", "$1");
        return Regex.Replace(commas, @",(\s*,)+", ",").Trim(' ', ',', ';');
    }
}
