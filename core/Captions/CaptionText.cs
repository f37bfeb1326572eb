namespace Sdxl.Core.Captions;

/// <summary>A NAME.txt beside a picture: its lines are one caption.</summary>
public static class CaptionText
{
    /// <returns>The text on one line, or null where the file says nothing.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes)
    {
        var words = TextDecoding.Decode(bytes).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? null : string.Join(' ', words);
    }
}
