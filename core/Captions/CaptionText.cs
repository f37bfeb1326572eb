using System.Text.Json;

namespace Sdxl.Core.Captions;

/// <summary>A text beside a picture: its lines are one caption. In a JSON file it is what stands under caption, text or prompt.</summary>
public static class CaptionText
{
    /// <returns>The text on one line, or null where the file says nothing.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes) => OneLine(CaptionTexts.Decode("", bytes.ToArray()).Text);

    /// <param name="text">The file's text.</param>
    /// <param name="path">Its path in the archive: *.json is JSON.</param>
    /// <param name="problem">Why there is no caption, as half a sentence ("is empty"); null where there is one.</param>
    internal static string? Read(string text, string path, out string? problem)
    {
        problem = null;
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            if (OneLine(text) is { } plain)
                return plain;
            problem = "is empty";
            return null;
        }
        try
        {
            using var json = JsonDocument.Parse(text, CaptionJson.Lenient);
            if (CaptionJson.CaptionIn(json.RootElement) is { } caption)
                return caption;
            problem = "has no text under \"caption\", \"text\" or \"prompt\"";
        }
        catch (JsonException e)
        {
            problem = $"is not JSON ({e.Message.TrimEnd('.')})";
        }
        return null;
    }

    internal static string? OneLine(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? null : string.Join(' ', words);
    }
}
