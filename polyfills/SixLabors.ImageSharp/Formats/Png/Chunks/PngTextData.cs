namespace SixLabors.ImageSharp.Formats.Png.Chunks;

/// <summary>A text in a PNG. Characters beyond Latin-1, a language or a translated keyword make it an iTXt chunk.</summary>
public readonly struct PngTextData : IEquatable<PngTextData>
{
    /// <param name="keyword">1..79 Latin-1 characters, such as "Description"</param>
    /// <param name="value">the text</param>
    /// <param name="languageTag">RFC 3066 tag, or empty</param>
    /// <param name="translatedKeyword">the keyword in that language, or empty</param>
    public PngTextData(string keyword, string value, string languageTag, string translatedKeyword)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyword);
        Keyword = keyword.Trim();
        Value = value;
        LanguageTag = languageTag;
        TranslatedKeyword = translatedKeyword;
    }

    public string Keyword { get; }

    public string Value { get; }

    public string LanguageTag { get; }

    public string TranslatedKeyword { get; }

    public static bool operator ==(PngTextData left, PngTextData right) => left.Equals(right);

    public static bool operator !=(PngTextData left, PngTextData right) => !left.Equals(right);

    public override bool Equals(object? obj) => obj is PngTextData other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Keyword, Value, LanguageTag, TranslatedKeyword);

    public override string ToString() => $"PngTextData [ Name={Keyword}, Value={Value} ]";

    public bool Equals(PngTextData other) =>
        string.Equals(Keyword, other.Keyword, StringComparison.OrdinalIgnoreCase)
        && string.Equals(Value, other.Value, StringComparison.OrdinalIgnoreCase)
        && string.Equals(LanguageTag, other.LanguageTag, StringComparison.OrdinalIgnoreCase)
        && string.Equals(TranslatedKeyword, other.TranslatedKeyword, StringComparison.OrdinalIgnoreCase);
}
