using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>What BLIP writes, without what it always writes: "there is a close up of a cat that is sitting" is "a cat sitting".</summary>
public static partial class GeneratedCaption
{
    /// <summary>Words that begin a place or relation: what stands before the first of them is the subject. Longer ones first.</summary>
    private const string Relations =
        "in front of|next to|on top "
            + "of|wearing|holding|carrying|with|without|on|in|at|under|near|behind|beside|between|against|among|over|above|below|"
        + "beneath|by|inside|outside|around|during|through|sitting|standing|lying|laying|walking|running|jumping|riding|flying|swimming|looking|surrounded";

    /// <summary>Without BLIP's filler phrases, white space in order; may be empty.</summary>
    public static string Clean(string caption)
    {
        var cleaned = Spaces().Replace(caption, " ").Trim().TrimEnd('.', ' ');
        cleaned = Giraffe().Replace(cleaned, match => match.Value[0] == 'A' ? "Giraffe" : "giraffe");
        cleaned = Arafed()
            .Replace(
                cleaned,
                match =>
                    match.Groups[1].Length == 0
                        ? match.Groups[2].Value
                        : (match.Groups[1].Value[0] == 'A' ? "A" : "a")
                            + ("aeio".Contains(char.ToLowerInvariant(match.Groups[2].Value[0]), StringComparison.Ordinal) ? "n " : " ")
                            + match.Groups[2].Value
            );
        for (var before = ""; before != cleaned; )
        {
            before = cleaned;
            cleaned = Fillers().Replace(cleaned, "").Trim();
        }
        cleaned = Stutter().Replace(cleaned, "$1");
        // "a cat that is sitting on a sofa": the words between the subject and what it does say nothing. "a car that is red" needs them.
        return ThatIs().Replace(cleaned, " ");
    }

    /// <summary>Whether the text goes on naturally after a subject: "wearing a hat", "on the grass".</summary>
    public static bool BeginsWithRelation(string text) => Relation().Match(text) is { Success: true, Index: 0 };

    /// <summary>
    /// What follows the subject: "a purple circle wearing a hat on the grass" -> "wearing a hat on the grass"; "" where the whole text is
    /// the subject.
    /// </summary>
    public static string AfterSubject(string cleaned) => Relation().Match(cleaned) is { Success: true } first ? cleaned[first.Index..] : "";

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // BLIP writes "araffe" for a giraffe as well: where no noun follows it is one.
    [GeneratedRegex(
        @"(?<![\p{L}\p{N}])araf+e(?=s?(?:\s+(?:"
            + Relations
            + @"|that|which|who|is|are|and|or|of|to|from|eating|grazing|drinking)(?![\p{L}\p{N}])|\s*[,;]|\s*$))",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Giraffe();

    // Before a noun it means nothing: "there is a arafed dog", "two araffe men". The article before it then belongs to what follows.
    [GeneratedRegex(@"(?<![\p{L}\p{N}])(an?\s+)?araf+e[ds]?\s+(\S)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Arafed();

    // Only at the beginning, one after another: further on "a picture of a cat" hangs on a wall. "a drawing of", "a black and white photo
    // of" are no fillers: they say what the picture looks like.
    [GeneratedRegex(
        @"^(?:there(?:\s+is|\s+are|'s)\s+|this\s+is\s+(?=\S)|(?:in|on)\s+(?:this|the)\s+(?:picture|image|photo|photograph),?\s+(?=(?:there|we|you|i)\s)|(?:we|you|i)(?:\s+can)?\s+see\s+"
            + @"|(?:an?\s+|the\s+|this\s+|some\s+)?"
            + Medium
            + @"\s+(?:shows|depicts|contains|features)\s+"
            + @"|(?:an?\s+|the\s+|this\s+|some\s+)?(?:very\s+|extreme\s+)?"
            + Medium
            + @"\s+(?:taken\s+)?(?:of|that\s+(?:shows|depicts)|showing|depicting)\s+(?=\S))",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Fillers();

    // "close up", "close up photo", "stock photography image": one or more words for the picture itself.
    private const string Medium =
        @"(?:(?:close[\s-]?up|stock|pictures?|images?|photos?|photographs?|photography|shots?|views?|pics?)(?:\s+(?=(?:close[\s-]?up|pictures?|images?|photos?|photographs?|photography|shots?|views?|pics?)\s))?)+";

    // Its decoder may get caught on a word. Twice is left: tuk tuk, bora bora.
    [GeneratedRegex(
        @"(?<![\p{L}\p{N}])([\p{L}\p{N}]+)(?:\s+\1){2,}(?![\p{L}\p{N}])",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex Stutter();

    [GeneratedRegex(
        @"\s+(?:that|which|who)\s+(?:is|are)\s+(?=(?:" + Relations + @"|\p{L}{2,}ing)(?![\p{L}\p{N}]))",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex ThatIs();

    [GeneratedRegex(@"(?<![\p{L}\p{N}])(?:" + Relations + @")(?![\p{L}\p{N}])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Relation();
}
