using System.Text;

namespace Sdxl.Core.Encodings;

/// <summary>Text files in Unicode: UTF-8 and UTF-16, with or without byte order mark.</summary>
public static class UnicodeText
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text without marks, or null where it is in no encoding of Unicode.</summary>
    public static string? TryDecode(ReadOnlySpan<byte> bytes) => WithMarks(bytes)?.TrimStart('\uFEFF'); // some programs write a second mark

    /// <summary>The text, or null where the bytes are no UTF-8.</summary>
    public static string? TryUtf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string? WithMarks(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xEF, 0xBB, 0xBF, .. var rest] => TryUtf8(rest),
        [0xFF, 0xFE, .. var rest] => Encoding.Unicode.GetString(rest),
        [0xFE, 0xFF, .. var rest] => Encoding.BigEndianUnicode.GetString(rest),
        _ when ZerosAt(bytes, 1) => Encoding.Unicode.GetString(bytes),
        _ when ZerosAt(bytes, 0) => Encoding.BigEndianUnicode.GetString(bytes),
        _ => TryUtf8(bytes),
    };

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
