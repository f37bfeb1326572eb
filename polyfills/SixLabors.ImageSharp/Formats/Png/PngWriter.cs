using System.Buffers.Binary;
using System.Text;
using SixLabors.ImageSharp.Formats.Png.Chunks;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>Writes the chunks of one PNG.</summary>
internal sealed class PngWriter(Stream stream)
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    public static int PixelBytes(PngColorType color, PngBitDepth depth) =>
        (int)depth / 8 * color switch { PngColorType.Grayscale => 1, PngColorType.GrayscaleWithAlpha => 2, PngColorType.Rgb => 3, _ => 4 };

    public void Begin(int width, int height, int depth, PngColorType color)
    {
        stream.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = (byte)depth;
        header[9] = (byte)color;
        Chunk("IHDR"u8, header);
    }

    public void Metadata(ImageMetadata metadata, int compressTextsFrom)
    {
        if (metadata.IccProfile is { } icc)
            Chunk("iCCP"u8, [.. "ICC Profile\0\0"u8, .. PngData.Deflate(icc.ToByteArray())]);
        if (metadata.ExifProfile?.ToByteArray() is { Length: > 0 } exif)
            Chunk("eXIf"u8, exif);
        foreach (var text in metadata.GetPngMetadata().TextData)
            Text(text, compressTextsFrom);
    }

    /// <summary>A stream for the rows of bytes; disposing it writes the last data chunk.</summary>
    public PngData OpenData(int rowBytes, int pixelBytes, PngCompressionLevel level) => new(this, rowBytes, pixelBytes, level);

    public void End() => Chunk("IEND"u8, []);

    public void Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(type);
        stream.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, type), data));
        stream.Write(number);
    }

    /// <summary>Pixels to the file's bytes: channels in order, 16 bits big endian.</summary>
    public static void Pack<TPixel>(ReadOnlySpan<TPixel> pixels, Span<byte> row, PngColorType color, PngBitDepth depth)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var at = 0;
        Span<ushort> channels = stackalloc ushort[4];
        foreach (var pixel in pixels)
        {
            var wide = default(Rgba64);
            var narrow = default(Rgba32);
            var count = 0;
            if (depth == PngBitDepth.Bit16)
                PixelRows.Convert<TPixel, Rgba64>(new ReadOnlySpan<TPixel>(in pixel), new Span<Rgba64>(ref wide));
            else
                pixel.ToRgba32(ref narrow);
            var (r, g, b, a) = depth == PngBitDepth.Bit16 ? (wide.R, wide.G, wide.B, wide.A) : ((ushort)narrow.R, (ushort)narrow.G, (ushort)narrow.B, (ushort)narrow.A);
            if (color is PngColorType.Rgb or PngColorType.RgbWithAlpha)
                (channels[count++], channels[count++], channels[count++]) = (r, g, b);
            else
                channels[count++] = r == g && g == b ? r : ColorNumerics.Luminance((float)r, g, b);
            if (color is PngColorType.RgbWithAlpha or PngColorType.GrayscaleWithAlpha)
                channels[count++] = a;
            for (var c = 0; c < count; c++)
            {
                if (depth == PngBitDepth.Bit16)
                    row[at++] = (byte)(channels[c] >> 8);
                row[at++] = (byte)channels[c];
            }
        }
    }

    private void Text(PngTextData text, int compressFrom)
    {
        var keyword = Encoding.Latin1.GetBytes(text.Keyword);
        var compress = text.Value.Length > compressFrom;
        if (text.Value.Any(c => c > 255) || text.LanguageTag.Length > 0 || text.TranslatedKeyword.Length > 0)
        {
            var bytes = Encoding.UTF8.GetBytes(text.Value);
            byte[] flags = [0, (byte)(compress ? 1 : 0), 0];
            Chunk("iTXt"u8, [.. keyword, .. flags, .. Encoding.Latin1.GetBytes(text.LanguageTag), 0, .. Encoding.UTF8.GetBytes(text.TranslatedKeyword), 0, .. compress ? PngData.Deflate(bytes) : bytes]);
        }
        else if (compress)
            Chunk("zTXt"u8, [.. keyword, 0, 0, .. PngData.Deflate(Encoding.Latin1.GetBytes(text.Value))]);
        else
            Chunk("tEXt"u8, [.. keyword, 0, .. Encoding.Latin1.GetBytes(text.Value)]);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (var value in data)
            crc = CrcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < 256; n++)
        {
            var c = n;
            for (var k = 0; k < 8; k++)
                c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[n] = c;
        }
        return table;
    }
}
