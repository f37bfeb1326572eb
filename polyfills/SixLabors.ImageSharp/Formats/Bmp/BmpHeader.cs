using System.Buffers.Binary;
using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Bmp;

/// <summary>File header (14 bytes: "BM", ..., offset of the pixels) and information header (12 bytes in OS/2 files, else 40 or more).</summary>
internal sealed class BmpHeader
{
    private const int FileHeaderBytes = 14;

    private int paletteAt;
    private int paletteEntryBytes;
    private int paletteCount;

    public int Width { get; private set; }

    public int Height { get; private set; }

    public bool TopDown { get; private set; }

    public int Bits { get; private set; }

    /// <summary>0 plain, 1 runs of bytes, 2 runs of nibbles, 3 and 6 channel masks.</summary>
    public int Compression { get; private set; }

    public int DataAt { get; private set; }

    /// <summary>Masks of red, green, blue, alpha.</summary>
    public uint[] Masks { get; private set; } = [];

    public bool IsRunLength => Compression is 1 or 2;

    public bool HasAlpha => Masks.Length == 4 && Masks[3] != 0;

    /// <summary>Rows end on multiples of 4 bytes.</summary>
    public long RowBytes => (((long)Width * Bits) + 31) / 32 * 4;

    public static BmpHeader Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FileHeaderBytes + 12)
            throw new InvalidImageContentException($"BMP: {bytes.Length} bytes are too few for a header.");
        var header = new BmpHeader { DataAt = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]) };
        var info = bytes[FileHeaderBytes..];
        var infoBytes = BinaryPrimitives.ReadInt32LittleEndian(info);
        if (infoBytes < 12 || infoBytes > info.Length)
            throw new InvalidImageContentException($"BMP: information header of {infoBytes} bytes, expected 12..{info.Length}.");
        if (infoBytes < 40)
        {
            header.Width = BinaryPrimitives.ReadUInt16LittleEndian(info[4..]);
            header.Height = BinaryPrimitives.ReadUInt16LittleEndian(info[6..]);
            header.Bits = BinaryPrimitives.ReadUInt16LittleEndian(info[10..]);
            header.paletteEntryBytes = 3;
        }
        else
        {
            header.Width = BinaryPrimitives.ReadInt32LittleEndian(info[4..]);
            var height = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
            header.TopDown = height < 0;
            header.Height = height == int.MinValue ? 0 : Math.Abs(height);
            header.Bits = BinaryPrimitives.ReadUInt16LittleEndian(info[14..]);
            header.Compression = BinaryPrimitives.ReadInt32LittleEndian(info[16..]);
            header.paletteEntryBytes = 4;
            header.paletteCount = BinaryPrimitives.ReadInt32LittleEndian(info[32..]);
        }
        if (header.Width <= 0 || header.Height <= 0)
            throw new InvalidImageContentException($"BMP: size {header.Width} x {header.Height}.");
        if (header.Bits is not (1 or 2 or 4 or 8 or 16 or 24 or 32))
            throw new NotSupportedException($"BMP: {header.Bits} bits a pixel, expected 1, 2, 4, 8, 16, 24 or 32.");
        if (header.Compression is not (0 or 3 or 6) && !(header.Compression == 1 && header.Bits == 8) && !(header.Compression == 2 && header.Bits == 4))
            throw new NotSupportedException($"BMP: compression {header.Compression} with {header.Bits} bits a pixel.");
        header.ReadMasks(info, infoBytes);
        header.paletteAt = FileHeaderBytes + infoBytes;
        var most = header.Bits <= 8 ? 1 << header.Bits : 0;
        var room = Math.Max(0, Math.Min(header.DataAt, bytes.Length) - header.paletteAt) / header.paletteEntryBytes;
        header.paletteCount = Math.Min(header.paletteCount is > 0 and <= 256 ? header.paletteCount : most, Math.Min(most, room));
        return header;
    }

    public void CheckData(int fileBytes)
    {
        var needed = IsRunLength ? 0 : RowBytes * Height;
        if (DataAt < FileHeaderBytes || DataAt + needed > fileBytes)
            throw new InvalidImageContentException($"BMP: pixels at {DataAt} need {needed} bytes, the file has {fileBytes}.");
    }

    /// <summary>Colour of a palette entry; black beyond its end.</summary>
    public Rgba32 Palette(ReadOnlySpan<byte> bytes, int index)
    {
        if (index >= paletteCount)
            return new Rgba32(0, 0, 0);
        var entry = bytes.Slice(paletteAt + (index * paletteEntryBytes), 3);
        return new Rgba32(entry[2], entry[1], entry[0]);
    }

    /// <summary>A channel cut out by its mask and brought to 8 bits.</summary>
    public static byte Channel(uint pixel, uint mask)
    {
        if (mask == 0)
            return 0;
        var shift = BitOperations.TrailingZeroCount(mask);
        var most = (ulong)(mask >> shift);
        return (byte)(((((ulong)(pixel & mask) >> shift) * 255) + (most / 2)) / most);
    }

    private void ReadMasks(ReadOnlySpan<byte> info, int infoBytes)
    {
        if (Bits is not (16 or 32))
            return;
        if (Compression is 0 || info.Length < 40 + 12)
        {
            Masks = Bits == 16 ? [0x7C00, 0x3E0, 0x1F, 0] : [0xFF0000, 0xFF00, 0xFF, 0];
            return;
        }
        var hasAlpha = (infoBytes >= 56 || Compression == 6) && info.Length >= 56;
        Masks = [Mask(info, 40), Mask(info, 44), Mask(info, 48), hasAlpha ? Mask(info, 52) : 0];
    }

    private static uint Mask(ReadOnlySpan<byte> info, int at) => BinaryPrimitives.ReadUInt32LittleEndian(info[at..]);
}
