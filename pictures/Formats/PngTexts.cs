using System.Globalization;
using System.Text;
using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// What of a PNG's texts and profiles is read here, with bounds: the orientation in ImageMagick's raw profiles, the colour profile.
/// </summary>
internal static class PngTexts
{
    private const int MostHex = 1 << 17;    // letters of a raw profile: the orientation stands at the beginning of 64 KiB
    private const int MostKeyword = 80;     // with its end

    /// <summary>
    /// The orientation in a "Raw profile type exif" (or APP1), as ImageMagick and ExifTool wrote EXIF before eXIf; null where the text is
    /// another.
    /// </summary>
    /// <param name="type">tEXt, zTXt or iTXt.</param>
    /// <remarks>
    /// The text: an empty line, the profile's name, its number of bytes, then the bytes in hexadecimal over several lines.
    /// </remarks>
    public static int? Orientation(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        var end = data[..Math.Min(data.Length, MostKeyword)].IndexOf((byte)0);
        if (end < 0 || Encoding.Latin1.GetString(data[..end]) is not (
            "Raw profile type exif" or "Raw profile type APP1" or "Raw profile type EXIF"))
            return null;
        var rest = data[(end + 1)..];
        if (type.SequenceEqual("zTXt"u8))
            rest = rest.Length > 1 ? Inflated.First(rest[1..], MostHex) : [];
        else if (type.SequenceEqual("iTXt"u8))
            rest = International(rest);
        var lines = Encoding.Latin1.GetString(rest[..Math.Min(rest.Length, MostHex)]).Split('\n',
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var exif = lines.Length < 3 ? [] : Bytes(string.Concat(lines[2..]));
        return ExifOrientation.OfPrefixed(exif);
    }

    /// <summary>The profile in an iCCP chunk: a name, the way it is packed, the packed profile.</summary>
    public static byte[] Profile(ReadOnlySpan<byte> data)
    {
        var end = data[..Math.Min(data.Length, MostKeyword)].IndexOf((byte)0);
        return end < 0 || end + 2 > data.Length ? [0] : Inflated.First(data[(end + 2)..], ColourProfile.MostBytes);
    }

    /// <summary>An iTXt's text: flag, method, language and translated keyword stand before it.</summary>
    private static ReadOnlySpan<byte> International(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2)
            return [];
        var isPacked = rest[0] == 1;
        rest = rest[2..];
        for (var i = 0; i < 2; i++)
        {
            var end = rest.IndexOf((byte)0);
            if (end < 0)
                return [];
            rest = rest[(end + 1)..];
        }
        return isPacked ? Inflated.First(rest, MostHex) : rest;
    }

    private static byte[] Bytes(string hex)
    {
        var bytes = new byte[hex.Length / 2];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!byte.TryParse(hex.AsSpan(2 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]))
                return bytes[..i];
        }
        return bytes;
    }
}
