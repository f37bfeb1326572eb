using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>A PNG's IHDR chunk.</summary>
internal sealed record PngHeader(uint Width, uint Height, int BitDepth, int ColourType, bool Interlaced)
{
    /// <summary>The second pass has columns from here on.</summary>
    private const int NarrowestInterlaced = 5;

    /// <param name="data">13 bytes.</param>
    public static PngHeader Read(ReadOnlySpan<byte> data) =>
        new(BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]), data[8], data[9], data[12] == 1);

    public void Check()
    {
        var isAllowed = ColourType switch
        {
            0 => BitDepth is 1 or 2 or 4 or 8 or 16,
            3 => BitDepth is 1 or 2 or 4 or 8,
            2 or 4 or 6 => BitDepth is 8 or 16,
            _ => false,
        };
        if (!isAllowed)
            throw PictureFaultException.Broken($"colour type {ColourType} with {BitDepth} bits does not exist");
        // ImageSharp 2.1 loses count of the rows where a pass has no columns, and waits for more for ever.
        if (Interlaced && Width < NarrowestInterlaced)
            throw PictureFaultException.Unsupported($"an interlaced PNG of {Width} pixels in width");
    }

    /// <summary>Bytes of the inflated pixels: a filter byte and the samples of each row, of seven passes where interlaced.</summary>
    public long PixelBytes()
    {
        // Adam7: start and step of each pass, across and down.
        ReadOnlySpan<(int X, int Y, int StepX, int StepY)> passes = Interlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
            : [(0, 0, 1, 1)];
        var total = 0L;
        foreach (var (x, y, stepX, stepY) in passes)
        {
            var (columns, rows) = ((Width - x + stepX - 1) / stepX, (Height - y + stepY - 1) / stepY);
            if (columns > 0 && rows > 0)
                total += rows * (1 + (columns * BitsPerPixel + 7) / 8);
        }
        return total;
    }

    private int BitsPerPixel => BitDepth * (ColourType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 });
}
