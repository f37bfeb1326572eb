namespace Sdxl.Pictures;

/// <summary>
/// Resizes exactly as Pillow does, byte for byte: the models' reference preprocessors use Pillow. The arithmetic is <see
/// cref="RowResizer"/>'s.
/// </summary>
public static class PictureResizer
{
    /// <summary>The picture at width x height; the same object where nothing changes.</summary>
    public static PixelGrid Resize(PixelGrid source, int width, int height, ResizeFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (width == source.Width && height == source.Height)
            return source;
        var rows = new RowResizer(source.Width, source.Height, width, height, source.Channels, filter);
        for (var y = 0; y < source.Height; y++)
            rows.Take(source.Row(y));
        return rows.Result;
    }

    /// <summary>Scaled to cover width x height, shape kept, and cut to it around the middle.</summary>
    public static PixelGrid Cover(PixelGrid source, int width, int height, ResizeFilter filter)
    {
        var factor = Math.Max((double)width / source.Width, (double)height / source.Height);
        var across = Math.Max(width, (int)Math.Round(source.Width * factor));
        var down = Math.Max(height, (int)Math.Round(source.Height * factor));
        return Resize(source, across, down, filter).Crop((across - width) / 2, (down - height) / 2, width, height);
    }

    /// <summary>The size that fits into a box of side x side with the shape kept; never larger than the source.</summary>
    public static (int Width, int Height) FitWithin(int width, int height, int side)
    {
        var longest = Math.Max(width, height);
        return longest <= side ? (width, height) : (Scaled(width, side, longest), Scaled(height, side, longest));

        static int Scaled(int length, int side, int longest) => Math.Max(1, (int)Math.Round((double)length * side / longest));
    }
}
