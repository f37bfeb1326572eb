using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>
/// Marks that prompts of drawing programs have and captions should not: weights "(TOK:1.3)", "((word))", "[word]", escaped brackets
/// "\(cosplay\)" and tags "&lt;lora:name:0.8&gt;". A net learns them as the letters that they are. Brackets of a caption without any such
/// mark are left as they are.
/// </summary>
public static partial class CaptionMarkup
{
    // Stand in for escaped brackets while the others are taken away; from the area that Unicode leaves to programs.
    private const char Open = '\uE000', Close = '\uE001';

    /// <returns>The caption without marks, and a sentence that names what was taken out, or null.</returns>
    public static (string Text, string? Warning) TakeOut(string caption)
    {
        var tags = TagsIn(caption);
        if (!IsMarked(caption))
            return (caption, null);
        var text = WithoutTags(caption);
        text = text.Replace(@"\(", $"{Open}", StringComparison.Ordinal).Replace(@"\)", $"{Close}", StringComparison.Ordinal);
        for (var before = ""; before != text;)
        {
            before = text;
            text = Innermost().Replace(text, match => match.Value.Equals("[trigger]", StringComparison.OrdinalIgnoreCase) ? "[trigger]"
                : match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value);
        }
        text = Spaces().Replace(text.Replace(Open, '(').Replace(Close, ')'), " ").Trim(' ', ',');
        var unescaped = caption.Replace(@"\(", "(", StringComparison.Ordinal).Replace(@"\)", ")", StringComparison.Ordinal);
        if (text == unescaped)
            return (text, null); // escapes alone change nothing of what is said
        var what = tags.Count > 0
            ? $"the {(tags.Count == 1 ? "tag" : "tags")} {string.Join(" ", tags)} and weights say nothing in training"
            : "weights say nothing in training";
        return (text, $"{what}; it is read as \"{text}\".");
    }

    /// <summary>Whether brackets of a text are marks: it has a weight, a tag, doubled or escaped brackets.</summary>
    public static bool IsMarked(string text) => Tag().IsMatch(text) || Weight().IsMatch(text) || Escaped().IsMatch(text)
        || Doubled().IsMatch(text);

    /// <summary>The tags of a text, "&lt;lora:name:0.8&gt;".</summary>
    public static IReadOnlyList<string> TagsIn(string text) => [.. Tag().Matches(text).Select(match => match.Value)];

    /// <summary>The text with a space in each tag's place.</summary>
    internal static string WithoutTags(string text) => Tag().Replace(text, " ");

    [GeneratedRegex(
        @"<(?:lora|lyco|locon|hypernet|embedding|segment|adapter)\s*:[^<>]*>",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Tag();

    // (words:1.3), as A1111 and ComfyUI have it; (at 10:30) is a time.
    [GeneratedRegex(@"\([^()\[\]]*(?<!\d\s*):\s*[+-]?\d*\.?\d+\s*\)", RegexOptions.CultureInvariant)]
    private static partial Regex Weight();

    [GeneratedRegex(@"\\[()]")]
    private static partial Regex Escaped();

    [GeneratedRegex(@"\(\([^()]*\)\)|\[\[[^\[\]]*\]\]")]
    private static partial Regex Doubled();

    [GeneratedRegex(
        @"\(([^()\[\]]*?)(?:(?<!\d\s*):\s*[+-]?\d*\.?\d+\s*)?\)|\[(?!trigger\])([^()\[\]]*)\]",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Innermost();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
