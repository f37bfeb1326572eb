using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>
/// The subjects' words in captions and prompts, one or several ("TOK", "TOK|CAT"): found on word borders and in any case ("tok" is TOK, "tokyo" and "stoke" are not).
/// "[trigger]" stands for the first. Whether a text may be one is decided where inputs are checked (TrainingInputs.TriggerWordProblem).
/// </summary>
public sealed class TriggerWords
{
    /// <summary>Between words where several are named in one text.</summary>
    public const char Separator = '|';

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
        var alternatives = All.Select((w, i) => (w, i)).OrderByDescending(p => p.w.Length).Select(p => $"(?<w{p.i}>{Regex.Escape(p.w)})");
        any = new Regex($@"\[trigger\]|(?<![\p{{L}}\p{{N}}_])(?:{string.Join('|', alternatives)})(?![\p{{L}}\p{{N}}_])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>As they are written in the captions, in the order of their vectors.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>The one that a caption gets which names none.</summary>
    public string First => All[0];

    /// <summary>Whether a caption names any.</summary>
    public bool IsIn(string caption) => any.IsMatch(caption);

    /// <summary>The caption with each word that it names, as spelled here, in the place of that word's first mention; further mentions go.</summary>
    public string Once(string caption)
    {
        var mentioned = new HashSet<int>();
        return Tidy(any.Replace(caption, match => mentioned.Add(IndexOf(match)) ? All[IndexOf(match)] : ""));
    }

    /// <summary>The caption without the words.</summary>
    public string Without(string caption) => Tidy(any.Replace(caption, ""));

    /// <summary>Every mention replaced, for prompts: the trained vectors ("&lt;s0&gt;&lt;s1&gt;") stand in for the word.</summary>
    /// <param name="replacements">For each of <see cref="All"/>.</param>
    public string Replace(string text, IReadOnlyList<string> replacements) => any.Replace(text, match => replacements[IndexOf(match)]);

    private int IndexOf(Match match) => Enumerable.Range(0, All.Count).FirstOrDefault(i => match.Groups[$"w{i}"].Success);

    private static string Tidy(string text)
    {
        var spaced = Regex.Replace(text, @"\s+", " ");
        var commas = Regex.Replace(spaced, @"\s+([,.;:!?])", "$1");
        return Regex.Replace(commas, @",(\s*,)+", ",").Trim(' ', ',', ';');
    }
}
