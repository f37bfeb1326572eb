using Sdxl.Pictures.Colours;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures.Decoding;

/// <summary>
/// What comes out of a decoder, row by row: opacity is resolved, then the row is shrunk. A picture is laid over white; a mask over black,
/// since what is transparent is not selected, and its opacity is kept beside it for the mask that selects by opacity alone.
/// </summary>
internal sealed class PictureRows
{
    private readonly bool _isMask;
    private readonly RowResizer _resizer;
    private readonly byte[] _row;
    private readonly SrgbConversion? _conversion;
    private byte _brightest;

    public PictureRows(int width, int height, int toWidth, int toHeight, bool isMask, SrgbConversion? conversion = null)
    {
        _conversion = conversion;
        _isMask = isMask;
        _resizer = new RowResizer(width, height, toWidth, toHeight, Channels(isMask), ResizeFilter.Bilinear);
        _row = new byte[width * Channels(isMask)];
    }

    /// <summary>Bytes a pixel that a picture, or else a mask takes.</summary>
    public static int Channels(bool isMask) => isMask ? 2 : 3;

    public bool IsComplete => _resizer.IsComplete;

    /// <summary>Whether any pixel let the background through.</summary>
    public bool HasTransparency { get; private set; }

    public void Take(ReadOnlySpan<Rgba32> row)
    {
        if (_isMask)
            OverBlack(row);
        else
            OverWhite(row);
        _resizer.Take(_row);
    }

    /// <summary>The picture in red green blue, or the mask in one channel.</summary>
    public PixelGrid Result() => _isMask ? Mask(_resizer.Result) : _resizer.Result;

    private void OverWhite(ReadOnlySpan<Rgba32> row)
    {
        var to = _row.AsSpan(0, row.Length * 3);
        for (var x = 0; x < row.Length; x++)
        {
            var pixel = _conversion?.Of(row[x]) ?? row[x];
            if (pixel.A == 255)
            {
                (to[3 * x], to[3 * x + 1], to[3 * x + 2]) = (pixel.R, pixel.G, pixel.B);
                continue;
            }
            HasTransparency = true;
            to[3 * x] = Over(pixel.R, 255, pixel.A);
            to[3 * x + 1] = Over(pixel.G, 255, pixel.A);
            to[3 * x + 2] = Over(pixel.B, 255, pixel.A);
        }
    }

    private void OverBlack(ReadOnlySpan<Rgba32> row)
    {
        for (var x = 0; x < row.Length; x++)
        {
            var pixel = row[x];
            var (red, green, blue) = (Over(pixel.R, 0, pixel.A), Over(pixel.G, 0, pixel.A), Over(pixel.B, 0, pixel.A));
            HasTransparency |= pixel.A != 255;
            _brightest = Math.Max(_brightest, Math.Max(red, Math.Max(green, blue)));
            (_row[2 * x], _row[2 * x + 1]) = (PixelGrid.Luma(red, green, blue), pixel.A);
        }
    }

    private PixelGrid Mask(PixelGrid both)
    {
        var mask = new PixelGrid(both.Width, both.Height, 1);
        var channel = _brightest == 0 && HasTransparency ? 1 : 0;         // a subject cut out in black: the opacity is the mask
        for (var i = 0; i < mask.Data.Length; i++)
            mask.Data[i] = both.Data[2 * i + channel];
        return mask;
    }

    private static byte Over(int value, int under, int alpha) => (byte)((value * alpha + under * (255 - alpha) + 127) / 255);
}
