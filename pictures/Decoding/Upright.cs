namespace Sdxl.Pictures.Decoding;

/// <summary>Turns a picture as its EXIF orientation says. Source: EXIF 2.32, tag 274.</summary>
internal static class Upright
{
    /// <summary>Whether width and height change places.</summary>
    public static bool Transposes(int orientation) => orientation >= 5;

    /// <param name="orientation">1..8; 1 gives the same object.</param>
    public static PixelGrid Turn(PixelGrid grid, int orientation)
    {
        if (orientation == 1)
            return grid;
        var (width, height) = Transposes(orientation) ? (grid.Height, grid.Width) : (grid.Width, grid.Height);
        var turned = new PixelGrid(width, height, grid.Channels);
        for (var y = 0; y < height; y++)
        {
            // Stored positions along an upright row lie on a line: where it begins and how far apart they are.
            var first = Stored(grid, orientation, 0, y);
            var step = width > 1 ? Stored(grid, orientation, 1, y) - first : 0;
            for (var x = 0; x < width; x++)
            {
                var pixel = grid.Data.AsSpan((first + x * step) * grid.Channels, grid.Channels);
                pixel.CopyTo(turned.Data.AsSpan((y * width + x) * grid.Channels));
            }
        }
        return turned;
    }

    /// <summary>The number of the stored pixel that belongs to the upright x, y.</summary>
    private static int Stored(PixelGrid grid, int orientation, int x, int y)
    {
        var (right, bottom) = (grid.Width - 1, grid.Height - 1);
        var (fromX, fromY) = orientation switch
        {
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (y, bottom - x),
            7 => (right - y, bottom - x),
            _ => (right - y, x),
        };
        return fromY * grid.Width + fromX;
    }
}
