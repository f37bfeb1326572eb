using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>
/// Makes the caption that is trained: the trigger word is in it. A user's caption keeps its words, each mention of the trigger among them;
/// an automatic one gets the prefix. With several trigger words (TOK|CAT) each that a caption or the prefix names stays; a caption that
/// names none gets the prefix, and a prefix that names none the first word.
/// </summary>
/// <remarks>
/// In a generated caption the subject's words give way to the trigger: "a purple circle wearing a hat on the grass" becomes
/// "a photo of TOK wearing a hat on the grass". Otherwise purple and round belong to the words "purple circle", which the base model knows,
/// and TOK is left with nothing to learn; drawn later without those words, the subject would be missing. Not so for a style
/// (a prefix with the word "style" or "aesthetic"): there the picture's content is not what TOK means, and all words stay.
/// </remarks>
public sealed partial class CaptionComposer
{
    private readonly TriggerWords trigger;
    private readonly string prefix;
    private readonly bool isStyle;

    /// <param name="triggerWord">For example TOK; several: TOK|CAT.</param>
    /// <param name="captionPrefix">For example "a photo of TOK"; without the trigger word it gets it.</param>
    public CaptionComposer(string triggerWord, string captionPrefix)
    {
        trigger = new TriggerWords(triggerWord);
        prefix = WithTrigger(captionPrefix);
        isStyle = Style().IsMatch(prefix);
    }

    /// <summary>The prefix as used: with the trigger word, no separator at its end.</summary>
    public string Prefix => prefix;

    /// <summary>
    /// A caption from a caption file or text file. Its words stay; one that lacks the trigger word gets the prefix in front.
    /// </summary>
    public string FromUser(string caption)
    {
        var text = Spaces().Replace(caption, " ").Trim();
        return trigger.IsIn(text) ? trigger.Spelled(text) : Joined(text);
    }

    /// <summary>A caption that BLIP made.</summary>
    public string FromModel(string caption)
    {
        var cleaned = trigger.Without(GeneratedCaption.Clean(caption));
        return Joined(isStyle ? cleaned : GeneratedCaption.AfterSubject(cleaned));
    }

    /// <summary>"a photo of TOK" + "on the grass" goes on with a space, anything else after a comma.</summary>
    private string Joined(string rest) =>
        rest.Length == 0 ? prefix
        : GeneratedCaption.BeginsWithRelation(rest) ? $"{prefix} {rest}"
        : $"{prefix}, {rest}";

    private string WithTrigger(string given)
    {
        var text = Spaces().Replace(given, " ").Trim().TrimEnd(',', ';', ':', '.', ' ');
        if (text.Length == 0)
            return trigger.First;
        return trigger.IsIn(text) ? trigger.Spelled(text) : $"{text} {trigger.First}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"\b(?:styles?|styled|aesthetics?)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Style();
}
