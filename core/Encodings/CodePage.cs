using System.Text;

namespace Sdxl.Core.Encodings;

/// <summary>A code page of the time before Unicode, as zips, Excel and old editors still write it.</summary>
public sealed class CodePage
{
    private const double MixedWord = 3; // a letter of one script beside a letter of another, or a capital inside a word

    private readonly Func<char, int, int, double> cost;
    private readonly Encoding strict;

    private CodePage(int number, string language, double textPrior, double namePrior, Func<char, int, int, double> cost)
    {
        (Number, Language, TextPrior, NamePrior, this.cost) = (number, language, textPrior, namePrior, cost);
        strict = CodePagesEncodingProvider.Instance.GetEncoding(number, EncoderFallback.ExceptionFallback,
            DecoderFallback.ExceptionFallback)
            ?? throw new InvalidOperationException($".NET has no code page {number} any more.");
    }

    /// <summary>What zips without the UTF-8 flag are said to have by their specification (APPNOTE.TXT, appendix D).</summary>
    public static CodePage Cp437 { get; } = new(437, "Western European", 4, 0, LetterCosts.Western);

    /// <summary>Those that are guessed among. Old DOS pages are likelier in names, those of Windows in texts.</summary>
    public static IReadOnlyList<CodePage> All { get; } =
    [
        Cp437,
        new(1252, "Western European", 0, 1.5, LetterCosts.Western),
        new(850, "Western European", 4.5, 0.5, LetterCosts.Western),
        new(1250, "Central European", 2.5, 3, LetterCosts.Central),
        new(852, "Central European", 5, 2.5, LetterCosts.Central),
        new(1251, "Cyrillic", 1, 1.5, LetterCosts.Cyrillic),
        new(866, "Cyrillic", 2, 1, LetterCosts.Cyrillic),
        new(20866, "Cyrillic", 4, 5, LetterCosts.Cyrillic), // KOI8-R
        new(932, "Japanese", 1, 1, LetterCosts.Japanese),
        new(51932, "Japanese", 4, 5, LetterCosts.JapaneseEuc),
        new(936, "Chinese", 1, 1, LetterCosts.Chinese),
        new(950, "Chinese (Taiwan)", 2, 2, LetterCosts.Taiwanese),
        new(949, "Korean", 1, 1, LetterCosts.Korean),
        new(1253, "Greek", 3, 4, LetterCosts.Greek),
        new(737, "Greek", 5, 3, LetterCosts.Greek),
        new(1254, "Turkish", 3, 4, LetterCosts.Turkish),
        new(857, "Turkish", 6, 3.5, LetterCosts.Turkish),
        new(1255, "Hebrew", 3, 4, LetterCosts.Hebrew),
        new(862, "Hebrew", 5, 3, LetterCosts.Hebrew),
        new(1256, "Arabic", 3, 4, LetterCosts.Arabic),
        new(720, "Arabic", 5, 3, LetterCosts.Arabic),
        new(874, "Thai", 3, 3, LetterCosts.Thai),
    ];

    /// <summary>As Windows counts them: 932 is Japanese.</summary>
    public int Number { get; }

    /// <summary>For messages: "Japanese".</summary>
    public string Language { get; }

    /// <summary>How unlikely the page is for a text before it was looked at, nats.</summary>
    internal double TextPrior { get; }

    /// <summary>Likewise for a file's name in a zip.</summary>
    internal double NamePrior { get; }

    /// <summary>"Japanese (code page 932)".</summary>
    public override string ToString() => $"{Language} (code page {Number})";

    /// <summary>The text, or null where bytes have no meaning in this page. Bytes of a letter that the end cuts through are left
    /// out.</summary>
    public string? TryDecode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var letters = new char[strict.GetMaxCharCount(bytes.Length)];
            return new string(letters, 0, strict.GetDecoder().GetChars(bytes, letters, flush: false));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>How unlikely the text is in this page's language, nats; what it costs beside the right page's cost is what
    /// counts.</summary>
    internal double CostOf(string text)
    {
        Span<byte> two = stackalloc byte[8];
        var sum = 0.0;
        var before = ' ';
        foreach (var letter in text)
        {
            sum += letter < 0x80 ? AsciiCost(letter, before) : ForeignCost(letter, before, two);
            before = letter;
        }
        return sum;
    }

    private double AsciiCost(char letter, char before) =>
        (char.IsControl(letter) && letter is not ('\t' or '\r' or '\n') ? LetterCosts.Impossible : LetterCosts.Ascii)
            + (before >= 0x80 && char.IsAsciiLetter(letter)
                && (!IsLatin(before) || char.IsLower(before) && char.IsAsciiLetterUpper(letter)) ? MixedWord : 0);

    private double ForeignCost(char letter, char before, Span<byte> bytes)
    {
        int lead, trail;
        try
        {
            var count = strict.GetBytes([letter], bytes);
            (lead, trail) = (bytes[0], count > 1 ? bytes[1] : 0);
        }
        catch (EncoderFallbackException)
        {
            return LetterCosts.Impossible; // a letter that decodes and does not encode again is a makeshift
        }
        var isBroken = char.IsLower(before) && char.IsUpper(letter) || char.IsAsciiLetter(before) && char.IsLetter(letter)
            && !IsLatin(letter);
        return cost(letter, lead, trail) + (isBroken ? MixedWord : 0);
    }

    private static bool IsLatin(char letter) => letter < 0x250;
}
