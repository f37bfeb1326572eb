using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace SixLabors.ImageSharp.Formats.Gif;

/// <summary>Walks a GIF's blocks (GIF89a): 0x2C picture, 0x21 extension, 0x3B end.</summary>
internal ref struct GifReader
{
    private const int HeaderBytes = 13;
    private const long LargestFramePixels = 1L << 30;

    private readonly ReadOnlySpan<byte> bytes;
    private readonly byte[] globalPalette = [];
    private int at;
    private int transparent = -1;
    private GifDisposal disposal;

    /// <exception cref="InvalidImageContentException">The header is cut off or has no size.</exception>
    public GifReader(ReadOnlySpan<byte> bytes)
    {
        this.bytes = bytes;
        if (bytes.Length < HeaderBytes)
            throw new InvalidImageContentException($"GIF: {bytes.Length} bytes are too few for a header of {HeaderBytes}.");
        Width = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        Height = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        BitsPerPixel = (bytes[10] & 7) + 1;
        at = HeaderBytes;
        if ((bytes[10] & 0x80) != 0)
            globalPalette = Take(3 << BitsPerPixel);
        if (Width == 0 || Height == 0)
            throw new InvalidImageContentException($"GIF: size {Width} x {Height}.");
    }

    public int Width { get; }

    public int Height { get; }

    public int BitsPerPixel { get; }

    public bool TryReadFrame([NotNullWhen(true)] out GifFrame? frame)
    {
        while (at < bytes.Length)
        {
            switch (bytes[at++])
            {
                case 0x2C when at + 9 <= bytes.Length:
                    frame = ReadPicture();
                    (transparent, disposal) = (-1, GifDisposal.Unspecified);
                    return true;
                case 0x21 when at < bytes.Length:
                    ReadExtension();
                    break;
                case 0x3B:
                    at = bytes.Length;
                    break;
            }
        }
        frame = null;
        return false;
    }

    private GifFrame ReadPicture()
    {
        var place = bytes.Slice(at, 9);
        at += 9;
        var flags = place[8];
        var palette = (flags & 0x80) != 0 ? Take(3 << ((flags & 7) + 1)) : globalPalette;
        var (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(place[4..]), BinaryPrimitives.ReadUInt16LittleEndian(place[6..]));
        var top = BinaryPrimitives.ReadUInt16LittleEndian(place[2..]);
        var interlaced = (flags & 0x40) != 0;
        // Rows below the canvas are not even unpacked (interlaced ones are, for they come in another order).
        long pixels = (long)width * (interlaced ? height : Math.Clamp(Height - top, 0, height));
        if (pixels > LargestFramePixels)
            throw new InvalidImageContentException($"GIF: a frame of {width} x {height} on a canvas of {Width} x {Height}.");
        var codeBits = at < bytes.Length ? bytes[at++] : 0;
        var indices = new byte[pixels];
        if (codeBits is >= 1 and <= 11)
            Lzw.Decode(ReadBlocks(), codeBits, indices);
        else
            ReadBlocks();
        return new GifFrame
        {
            Place = new Rectangle(BinaryPrimitives.ReadUInt16LittleEndian(place), top, width, height),
            Indices = indices,
            Palette = palette,
            Transparent = transparent,
            Disposal = disposal,
            Interlaced = interlaced,
        };
    }

    private void ReadExtension()
    {
        var label = bytes[at++];
        if (label == 0xF9 && at + 5 <= bytes.Length && bytes[at] == 4)
        {
            var flags = bytes[at + 1];
            disposal = (GifDisposal)((flags >> 2) & 3);
            transparent = (flags & 1) != 0 ? bytes[at + 4] : -1;
        }
        ReadBlocks();
    }

    /// <summary>Sub-blocks of a length byte and that many bytes, up to one of length 0.</summary>
    private byte[] ReadBlocks()
    {
        using var data = new MemoryStream();
        while (at < bytes.Length && bytes[at] is var length && length > 0)
        {
            at++;
            var there = Math.Min(length, bytes.Length - at);
            data.Write(bytes.Slice(at, there));
            at += there;
        }
        at++;
        return data.ToArray();
    }

    private byte[] Take(int count)
    {
        var there = Math.Min(count, bytes.Length - at);
        var taken = bytes.Slice(at, there).ToArray();
        at += there;
        return taken;
    }
}
