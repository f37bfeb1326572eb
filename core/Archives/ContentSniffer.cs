using System.Buffers.Binary;
using System.Text;

namespace Sdxl.Core.Archives;

/// <summary>Tells what a file is by its first bytes; names and extensions lie.</summary>
public static class ContentSniffer
{
    /// <summary>So many bytes of the beginning are enough for every kind (a tar's magic stands at byte 257).</summary>
    public const int HeadBytes = 512;

    /// <summary>The formats that vision decodes.</summary>
    public static bool IsPicture(ContentKind kind) =>
        kind is ContentKind.Jpeg or ContentKind.Png or ContentKind.Webp or ContentKind.Gif or ContentKind.Bmp or ContentKind.Tiff;

    /// <summary>Pictures that nothing here decodes.</summary>
    public static bool IsUnsupportedPicture(ContentKind kind) =>
        kind
            is ContentKind.Heic
                or ContentKind.Avif
                or ContentKind.JpegXl
                or ContentKind.Svg
                or ContentKind.Photoshop
                or ContentKind.CameraRaw;

    /// <summary>Whether it is an archive or a compressed file of any kind.</summary>
    public static bool IsArchive(ContentKind kind) => kind is ContentKind.Zip or ContentKind.Tar or ContentKind.Gzip or ContentKind.Bzip2
        or ContentKind.Xz or ContentKind.Zstd or ContentKind.Rar or ContentKind.SevenZip;

    /// <summary>The kind's name for people, with its article: "a PNG picture".</summary>
    public static string Describe(ContentKind kind) => kind switch
    {
        ContentKind.Empty => "an empty file",
        ContentKind.Jpeg => "a JPEG picture",
        ContentKind.Png => "a PNG picture",
        ContentKind.Webp => "a WebP picture",
        ContentKind.Gif => "a GIF picture",
        ContentKind.Bmp => "a BMP picture",
        ContentKind.Tiff => "a TIFF picture",
        ContentKind.Heic => "a HEIC picture",
        ContentKind.Avif => "an AVIF picture",
        ContentKind.JpegXl => "a JPEG XL picture",
        ContentKind.Svg => "an SVG drawing",
        ContentKind.Photoshop => "a Photoshop document",
        ContentKind.CameraRaw => "a camera's raw picture",
        ContentKind.Zip => "a zip archive",
        ContentKind.Tar => "a tar archive",
        ContentKind.Gzip => "a gzip file",
        ContentKind.Bzip2 => "a bzip2 file",
        ContentKind.Xz => "an xz file",
        ContentKind.Zstd => "a Zstandard file",
        ContentKind.Rar => "a RAR archive",
        ContentKind.SevenZip => "a 7z archive",
        ContentKind.Pdf => "a PDF document",
        ContentKind.Html => "an HTML page",
        ContentKind.Json => "a JSON document",
        ContentKind.Video => "a video",
        ContentKind.Program => "a program",
        ContentKind.Text => "plain text",
        _ => "data of an unknown kind",
    };

    /// <param name="head">The first <see cref="HeadBytes"/> bytes, or the whole file where it is shorter.</param>
    public static ContentKind Tell(ReadOnlySpan<byte> head)
    {
        if (head.IsEmpty)
            return ContentKind.Empty;
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return ContentKind.Jpeg;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
            return ContentKind.Png;
        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8))
            return ContentKind.Gif;
        if (head.StartsWith("RIFF"u8) && head.Length >= 12)
            return head[8..12].SequenceEqual("WEBP"u8) ? ContentKind.Webp
                : head[8..12].SequenceEqual("AVI "u8) ? ContentKind.Video
                : ContentKind.Unknown;
        if (IsBmp(head))
            return ContentKind.Bmp;
        if (head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8))
            return head.Length >= 10 && head[8..10].SequenceEqual("CR"u8) ? ContentKind.CameraRaw : ContentKind.Tiff;
        if (head.Length >= 12 && head[4..8].SequenceEqual("ftyp"u8))
            return TellIsoMedia(head);
        if (
            head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A])
            || head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20])
        )
            return ContentKind.JpegXl;
        if (head.StartsWith("8BPS"u8))
            return ContentKind.Photoshop;
        if (head.StartsWith("PK\x03\x04"u8) || head.StartsWith("PK\x05\x06"u8) || head.StartsWith("PK\x07\x08"u8))
            return ContentKind.Zip;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return ContentKind.Gzip;
        if (head.StartsWith("BZh"u8))
            return ContentKind.Bzip2;
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]))
            return ContentKind.Xz;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return ContentKind.Zstd;
        if (head.StartsWith("Rar!\x1A\x07"u8))
            return ContentKind.Rar;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]))
            return ContentKind.SevenZip;
        if (head.StartsWith("%PDF-"u8))
            return ContentKind.Pdf;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x7F, 0x45, 0x4C, 0x46]) || head.StartsWith("MZ"u8))
            return ContentKind.Program;
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]))
            return ContentKind.Video;
        return IsTar(head) ? ContentKind.Tar : TellText(head);
    }

    /// <summary>
    /// A tar's first header: its checksum (all bytes, the checksum's own counted as spaces) must be right; an empty tar is all zeros.
    /// </summary>
    private static bool IsTar(ReadOnlySpan<byte> head)
    {
        if (head.Length < 512)
            return false;
        if (head[..512].IndexOfAnyExcept((byte)0) < 0)
            return true;
        if (head[148..156].IndexOfAnyExcept("01234567 \0"u8) >= 0)
            return false;
        var (recorded, sum) = TarHeader.Checksum(head);
        return recorded == sum;
    }

    /// <summary>
    /// "BM" alone also begins words: the reserved bytes must be 0 and the size of the second header one of those that exist.
    /// </summary>
    private static bool IsBmp(ReadOnlySpan<byte> head) =>
        head.Length >= 18 && head.StartsWith("BM"u8) && head[6..10].IndexOfAnyExcept((byte)0) < 0
        && BinaryPrimitives.ReadUInt32LittleEndian(head[14..]) is 12 or 16 or 40 or 52 or 56 or 64 or 108 or 124;

    private static ContentKind TellIsoMedia(ReadOnlySpan<byte> head)
    {
        // The major brand may be that of the container alone (mif1): then the compatible ones tell, or the coding of the first picture.
        var end = (int)Math.Clamp(BinaryPrimitives.ReadUInt32BigEndian(head), 12, head.Length);
        for (var at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) // behind the major brand stands its version
        {
            switch (Encoding.ASCII.GetString(head.Slice(at, 4)))
            {
                case "avif" or "avis":
                    return ContentKind.Avif;
                case "heic" or "heix" or "hevc" or "heim" or "heis" or "hevm" or "hevx":
                    return ContentKind.Heic;
                case "crx ":
                    return ContentKind.CameraRaw;
            }
        }
        return head[8..12].SequenceEqual("mif1"u8) || head[8..12].SequenceEqual("msf1"u8) || head[8..12].SequenceEqual("miaf"u8)
            ? head.IndexOf("av01"u8) >= 0 || head.IndexOf("av1C"u8) >= 0 ? ContentKind.Avif : ContentKind.Heic
            : ContentKind.Video;
    }

    private static ContentKind TellText(ReadOnlySpan<byte> head)
    {
        var bom = head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        if (bom)
            return ContentKind.Text;
        foreach (var value in head)
        {
            if (value < 32 && value is not (9 or 10 or 12 or 13))
                return ContentKind.Unknown;
        }
        var text = Encoding.UTF8.GetString(head).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (
            text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<head", StringComparison.OrdinalIgnoreCase)
        )
            return ContentKind.Html;
        if (
            text.StartsWith("<svg", StringComparison.OrdinalIgnoreCase)
            || (text.StartsWith("<?xml", StringComparison.Ordinal) && text.Contains("<svg", StringComparison.Ordinal))
        )
            return ContentKind.Svg;
        return text.StartsWith('{') ? ContentKind.Json : ContentKind.Text;
    }
}
