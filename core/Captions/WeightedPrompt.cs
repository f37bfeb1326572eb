using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Sdxl.Core.Captions;

/// <summary>A part of a prompt.</summary>
/// <param name="Weight">How strongly it counts; 1 is as it is.</param>
public sealed record PromptPiece(string Text, double Weight);

/// <summary>
/// A prompt as A1111's and ComfyUI's users write it: "(word:1.3)", "(word)" for 1.1, "[word]" for 1/1.1, one in another multiplied,
/// "\(" for a bracket itself; tags such as "&lt;lora:name:0.8&gt;" are taken out. Brackets are marks only in a prompt that has any which
/// cannot be meant otherwise (<see cref="CaptionMarkup.IsMarked"/>): "a cat (left)" stays as it is. A bracket without its partner is one.
/// </summary>
public sealed partial record WeightedPrompt(IReadOnlyList<PromptPiece> Pieces)
{
    private const double Step = 1.1;

    /// <summary>The words alone.</summary>
    public string Text => string.Concat(Pieces.Select(piece => piece.Text));

    /// <summary>Whether any piece counts other than it is.</summary>
    public bool IsWeighted => Pieces.Any(piece => piece.Weight != 1);

    public static WeightedPrompt Parse(string prompt)
    {
        if (!CaptionMarkup.IsMarked(prompt))
            return new([new PromptPiece(prompt, 1)]);
        var text = CaptionMarkup.WithoutTags(prompt);
        var pieces = new List<(StringBuilder Text, double Weight)>();
        var open = new Stack<(char Bracket, int Piece)>(); // and the piece before which it stands
        Begin();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '(' or ')' or '[' or ']' or '\\')
            {
                pieces[^1].Text.Append(text[at + 1]);
                at += 2;
            }
            else if (text[at] is '(' or '[')
            {
                Begin();
                open.Push((text[at++], pieces.Count - 1));
            }
            else if (open.TryPeek(out var round) && round.Bracket == '(' && End().Match(text, at) is { Success: true } end)
            {
                Close(end.Groups[1].Success ? double.Parse(end.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : Step);
                at += end.Length;
            }
            else if (open.TryPeek(out var square) && square.Bracket == '[' && text[at] == ']')
            {
                Close(1 / Step);
                at++;
            }
            else
            {
                pieces[^1].Text.Append(text[at++]);
            }
        }
        foreach (var (bracket, piece) in open)
            pieces[piece].Text.Insert(0, bracket);
        return new([.. pieces.Where(piece => piece.Text.Length > 0).Select(piece => new PromptPiece(piece.Text.ToString(), piece.Weight))]);

        void Begin() => pieces.Add((new StringBuilder(), 1));

        void Close(double weight)
        {
            for (var piece = open.Pop().Piece; piece < pieces.Count; piece++)
                pieces[piece] = (pieces[piece].Text, pieces[piece].Weight * weight);
            Begin();
        }
    }

    // ")" or ":1.3)"; what stands after a digit is a time or a ratio, (at 10:30).
    [GeneratedRegex(@"\G(?:(?<!\d\s*):\s*([+-]?\d*\.?\d+)\s*)?\)", RegexOptions.CultureInvariant)]
    private static partial Regex End();
}
