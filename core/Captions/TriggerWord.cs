using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>
/// The subject's word in captions and prompts: found on word borders and in any case ("tok" is TOK, "tokyo" and "stoke" are not),
/// and what "[trigger]" stands for. Whether a text may be one is decided where inputs are checked (TrainingInputs.TriggerWordProblem).
/// </summary>
public sealed class TriggerWord
{
    private readonly Regex word;

    public TriggerWord(string text)
    {
        Text = text.Trim();
        if (Text.Length == 0)
            throw new ArgumentException("a trigger word has at least one letter, for example TOK", nameof(text));
        word = new Regex($@"\[trigger\]|(?<![\p{{L}}\p{{N}}_]){Regex.Escape(Text)}(?![\p{{L}}\p{{N}}_])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
    }

    /// <summary>As it is written in the captions.</summary>
    public string Text { get; }

    public bool IsIn(string caption) => word.IsMatch(caption);

    /// <summary>The caption with the word, as spelled here, in the place of its first mention; further mentions go.</summary>
    public string Once(string caption)
    {
        var mentions = 0;
        var once = word.Replace(caption, _ => mentions++ == 0 ? Text : "");
        return Tidy(once);
    }

    /// <summary>The caption without the word.</summary>
    public string Without(string caption) => Tidy(word.Replace(caption, ""));

    /// <summary>Every mention replaced, for prompts: the trained vectors ("&lt;s0&gt;&lt;s1&gt;") stand in for the word.</summary>
    public string Replace(string text, string replacement) => word.Replace(text, _ => replacement);

    private static string Tidy(string text)
    {
        var spaced = Regex.Replace(text, @"\s+", " ");
        var commas = Regex.Replace(spaced, @"\s+([,.;:!?])", "$1");
        return Regex.Replace(commas, @",(\s*,)+", ",").Trim(' ', ',', ';');
    }
}
