using System.Buffers.Binary;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Bmp;

/// <summary>Turns stored rows into colours.</summary>
internal static unsafe class BmpRows
{
    /// <param name="header">the header</param>
    /// <param name="bytes">the whole file</param>
    /// <param name="stored">number of the row in the file's order</param>
    /// <param name="row">receives the colours</param>
    public static void Unpack(BmpHeader header, ReadOnlySpan<byte> bytes, int stored, Span<Rgba32> row)
    {
        var line = bytes.Slice(checked((int)(header.DataAt + (stored * header.RowBytes))), checked((int)header.RowBytes));
        for (var x = 0; x < row.Length; x++)
        {
            row[x] = header.Bits switch
            {
                24 => new Rgba32(line[(3 * x) + 2], line[(3 * x) + 1], line[3 * x]),
                16 => Masked(header, BinaryPrimitives.ReadUInt16LittleEndian(line[(2 * x)..])),
                32 => Masked(header, BinaryPrimitives.ReadUInt32LittleEndian(line[(4 * x)..])),
                _ => header.Palette(bytes, (line[(int)((long)x * header.Bits / 8)] >> (8 - header.Bits - (x * header.Bits % 8))) & ((1 << header.Bits) - 1)),
            };
        }
    }

    /// <summary>Pairs of count and value; count 0: end of row (0), end of picture (1), move (2: right, up), else that many single values.</summary>
    public static void UnpackRuns(BmpHeader header, ReadOnlySpan<byte> bytes, Rgba32* target)
    {
        var nibbles = header.Compression == 2;
        int x = 0, y = 0;
        for (var at = header.DataAt; at + 1 < bytes.Length && y < header.Height;)
        {
            var (count, value) = (bytes[at], bytes[at + 1]);
            at += 2;
            if (count > 0)
            {
                for (var i = 0; i < count; i++)
                    Put(nibbles ? (i % 2 == 0 ? value >> 4 : value & 15) : value, bytes);
                continue;
            }
            switch (value)
            {
                case 0:
                    (x, y) = (0, y + 1);
                    break;
                case 1:
                    return;
                case 2 when at + 1 < bytes.Length:
                    (x, y) = (x + bytes[at], y + bytes[at + 1]);
                    at += 2;
                    break;
                default:
                    var length = nibbles ? (value + 1) / 2 : value;
                    if (value == 2 || at + length > bytes.Length)
                        return;
                    for (var i = 0; i < value; i++)
                        Put(nibbles ? (i % 2 == 0 ? bytes[at + (i / 2)] >> 4 : bytes[at + (i / 2)] & 15) : bytes[at + i], bytes);
                    at += (length + 1) & ~1;
                    break;
            }
        }

        void Put(int index, ReadOnlySpan<byte> file)
        {
            if (x < header.Width && y < header.Height)
                target[((long)(header.TopDown ? y : header.Height - 1 - y) * header.Width) + x] = header.Palette(file, index);
            x++;
        }
    }

    private static Rgba32 Masked(BmpHeader header, uint pixel) => new(
        BmpHeader.Channel(pixel, header.Masks[0]),
        BmpHeader.Channel(pixel, header.Masks[1]),
        BmpHeader.Channel(pixel, header.Masks[2]),
        header.HasAlpha ? BmpHeader.Channel(pixel, header.Masks[3]) : (byte)255);
}
