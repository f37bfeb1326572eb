using System.Text;

namespace Sdxl.Core.Captions;

/// <summary>Turns the bytes of a caption file into text: UTF-8 and UTF-16, with or without byte order mark, else Latin-1.</summary>
internal static class TextDecoding
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Decode(ReadOnlySpan<byte> bytes) => WithMarks(bytes).TrimStart('\uFEFF');       // some programs write a second mark

    private static string WithMarks(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xEF, 0xBB, 0xBF, .. var rest] => Utf8OrLatin1(rest),
        [0xFF, 0xFE, .. var rest] => Encoding.Unicode.GetString(rest),
        [0xFE, 0xFF, .. var rest] => Encoding.BigEndianUnicode.GetString(rest),
        _ when ZerosAt(bytes, 1) => Encoding.Unicode.GetString(bytes),
        _ when ZerosAt(bytes, 0) => Encoding.BigEndianUnicode.GetString(bytes),
        _ => Utf8OrLatin1(bytes),
    };

    private static string Utf8OrLatin1(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            // What old Windows programs write; in letters with accents Latin-1 and Windows-1252 agree.
            return Encoding.Latin1.GetString(bytes);
        }
    }

    /// <summary>Latin text in UTF-16 has a zero in nearly every second byte; text in UTF-8 has none.</summary>
    private static bool ZerosAt(ReadOnlySpan<byte> bytes, int remainder)
    {
        var zeros = 0;
        var pairs = Math.Min(bytes.Length, 512) / 2;
        for (var i = 0; i < pairs; i++)
            zeros += bytes[2 * i + remainder] == 0 && bytes[2 * i + 1 - remainder] != 0 ? 1 : 0;
        return pairs > 0 && zeros > pairs * 7 / 10;
    }
}
