using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>What BLIP writes, without what it always writes: "there is a close up of a cat that is sitting" is "a cat sitting".</summary>
public static partial class GeneratedCaption
{
    /// <summary>Words that begin a place or relation: what stands before the first of them is the subject. Longer ones first.</summary>
    private const string Relations =
        "in front of|next to|on top of|wearing|holding|carrying|with|without|on|in|at|under|near|behind|beside|between|against|among|over|above|below|"
        + "beneath|by|inside|outside|around|during|through|sitting|standing|lying|laying|walking|running|jumping|riding|flying|swimming|looking|surrounded";

    /// <summary>Without BLIP's filler phrases, white space in order; may be empty.</summary>
    public static string Clean(string caption)
    {
        var cleaned = Spaces().Replace(caption, " ").Trim().TrimEnd('.', ' ');
        for (var before = ""; before != cleaned;)
        {
            before = cleaned;
            cleaned = Fillers().Replace(cleaned, "").Trim();
        }
        // "a cat that is sitting on a sofa": the words between the subject and what it does say nothing.
        return ThatIs().Replace(cleaned, " ");
    }

    /// <summary>Whether the text goes on naturally after a subject: "wearing a hat", "on the grass".</summary>
    public static bool BeginsWithRelation(string text) => Relation().Match(text) is { Success: true, Index: 0 };

    /// <summary>
    /// What follows the subject: "a purple circle wearing a hat on the grass" -> "wearing a hat on the grass"; "" where the whole text is the subject.
    /// </summary>
    public static string AfterSubject(string cleaned) => Relation().Match(cleaned) is { Success: true } first ? cleaned[first.Index..] : "";

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // "arafed" and "araffe" are BLIP's own invention; "a drawing of" is no filler: it says what the picture looks like.
    [GeneratedRegex(@"^(?:arafed|araffed|araffe|araffes)\s+|^there\s+(?:is|are)\s+|^this\s+is\s+|^(?:an?\s+|the\s+)?(?:(?:very\s+)?close[\s-]?up|picture|image|photo|photograph|photography|shot|view|pic)\s+(?:shot\s+|view\s+|photo\s+|picture\s+|image\s+)?(?:of|that\s+shows|showing)\s+(?=\S)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Fillers();

    [GeneratedRegex(@"\s+(?:that|which|who)\s+(?:is|are)\s+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ThatIs();

    [GeneratedRegex(@"(?<![\p{L}\p{N}])(?:" + Relations + @")(?![\p{L}\p{N}])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Relation();
}
