using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using SixLabors.ImageSharp.Formats.Png.Chunks;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.Metadata.Profiles.Icc;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>A PNG without its pixels: signature of 8 bytes, then chunks of length, type, data, CRC (PNG specification, section 5).</summary>
internal sealed class PngHeader
{
    // What a compressed text or profile may grow to: a bomb of text is left out.
    private const int LargestTextBytes = 8 << 20;

    private static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    public int Width { get; private set; }

    public int Height { get; private set; }

    public int Depth { get; private set; }

    public PngColorType Color { get; private set; }

    public bool HasTransparentColor { get; private set; }

    public bool HasData { get; private set; }

    public ImageMetadata Metadata { get; } = new();

    public int Channels => Color switch { PngColorType.Rgb => 3, PngColorType.RgbWithAlpha => 4, PngColorType.GrayscaleWithAlpha => 2, _ => 1 };

    public static bool Matches(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Signature);

    /// <exception cref="InvalidImageContentException">No header chunk, or an impossible one.</exception>
    public static PngHeader Read(ReadOnlySpan<byte> bytes, bool skipMetadata)
    {
        var header = new PngHeader();
        for (var at = Signature.Length; at + 8 <= bytes.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
            var type = bytes.Slice(at + 4, 4);
            if (length > int.MaxValue || at + 8L + length > bytes.Length)
            {
                header.HasData |= type.SequenceEqual("IDAT"u8);
                break;
            }
            var data = bytes.Slice(at + 8, (int)length);
            if (at == Signature.Length)
                header.ReadSize(type, data);
            else if (type.SequenceEqual("IDAT"u8))
                header.HasData = true;
            else if (type.SequenceEqual("tRNS"u8))
                header.HasTransparentColor = true;
            else if (type.SequenceEqual("IEND"u8))
                break;
            else if (!skipMetadata)
                header.ReadMetadata(type, data);
            at += 12 + (int)length;
        }
        if (header.Width == 0)
            throw new InvalidImageContentException("PNG Image must contain a header chunk and it must be located before any other chunks.");
        return header;
    }

    private void ReadSize(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        if (!type.SequenceEqual("IHDR"u8) || data.Length < 13)
            throw new InvalidImageContentException("PNG Image must contain a header chunk and it must be located before any other chunks.");
        Width = BinaryPrimitives.ReadInt32BigEndian(data);
        Height = BinaryPrimitives.ReadInt32BigEndian(data[4..]);
        Depth = data[8];
        Color = (PngColorType)data[9];
        if (Width <= 0 || Height <= 0)
            throw new InvalidImageContentException($"PNG: size {Width} x {Height}, expected 1..{int.MaxValue} each.");
        var depths = Color switch
        {
            PngColorType.Grayscale => "\x1\x2\x4\x8\x10",
            PngColorType.Palette => "\x1\x2\x4\x8",
            PngColorType.Rgb or PngColorType.GrayscaleWithAlpha or PngColorType.RgbWithAlpha => "\x8\x10",
            _ => throw new NotSupportedException($"Invalid or unsupported color type. Was '{data[9]}'."),
        };
        if (!depths.Contains((char)Depth))
            throw new NotSupportedException($"Invalid or unsupported bit depth. Was '{Depth}'.");
        var png = Metadata.GetPngMetadata();
        png.BitDepth = (PngBitDepth)Depth;
        png.ColorType = Color;
    }

    private void ReadMetadata(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        if (type.SequenceEqual("eXIf"u8))
            Metadata.ExifProfile = new ExifProfile(data.ToArray());
        else if (type.SequenceEqual("iCCP"u8) && Split(data, out _, out var profile) && profile.Length > 1 && TryInflate(profile[1..], out var icc))
            Metadata.IccProfile = new IccProfile(icc);
        else if (type.SequenceEqual("tEXt"u8) && Split(data, out var keyword, out var text))
            Add(keyword, Encoding.Latin1.GetString(text), "", "");
        else if (type.SequenceEqual("zTXt"u8) && Split(data, out keyword, out text) && text.Length > 1 && text[0] == 0 && TryInflate(text[1..], out var inflated))
            Add(keyword, Encoding.Latin1.GetString(inflated), "", "");
        else if (type.SequenceEqual("iTXt"u8) && Split(data, out keyword, out text) && text.Length > 2)
            ReadInternational(keyword, text);
    }

    /// <summary>Keyword, 0, compressed?, method, language, 0, translated keyword, 0, text in UTF-8.</summary>
    private void ReadInternational(ReadOnlySpan<byte> keyword, ReadOnlySpan<byte> rest)
    {
        var compressed = rest[0] == 1;
        rest = rest[2..];
        var end = rest.IndexOf((byte)0);
        if (end < 0)
            return;
        var language = Encoding.Latin1.GetString(rest[..end]);
        rest = rest[(end + 1)..];
        end = rest.IndexOf((byte)0);
        if (end < 0)
            return;
        var translated = Encoding.UTF8.GetString(rest[..end]);
        rest = rest[(end + 1)..];
        if (!compressed)
            Add(keyword, Encoding.UTF8.GetString(rest), language, translated);
        else if (TryInflate(rest, out var inflated))
            Add(keyword, Encoding.UTF8.GetString(inflated), language, translated);
    }

    private void Add(ReadOnlySpan<byte> keyword, string value, string language, string translated)
    {
        var name = Encoding.Latin1.GetString(keyword);
        if (!string.IsNullOrWhiteSpace(name))
            Metadata.GetPngMetadata().TextData.Add(new PngTextData(name, value, language, translated));
    }

    private static bool Split(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> keyword, out ReadOnlySpan<byte> rest)
    {
        var end = data.IndexOf((byte)0);
        var good = end is >= 1 and <= 79;
        keyword = good ? data[..end] : default;
        rest = good ? data[(end + 1)..] : default;
        return good;
    }

    private static bool TryInflate(ReadOnlySpan<byte> compressed, out byte[] plain)
    {
        plain = [];
        try
        {
            using var source = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            using var target = new MemoryStream();
            var buffer = new byte[16 << 10];
            for (int read; (read = source.Read(buffer)) > 0;)
            {
                target.Write(buffer, 0, read);
                if (target.Length > LargestTextBytes)
                    return false;
            }
            plain = target.ToArray();
            return true;
        }
        catch (InvalidDataException)
        {
            return false; // a broken text does not make the picture unreadable
        }
    }
}
