using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures.Decoding;

/// <summary>Makes rows of single pixels.</summary>
internal sealed class RowCollector(PictureRows rows, int width)
{
    private readonly Rgba32[] _row = new Rgba32[width];
    private int _at;

    public void Add(Rgba32 pixel)
    {
        _row[_at] = pixel;
        if (++_at < _row.Length)
            return;
        _at = 0;
        rows.Take(_row);
    }
}
