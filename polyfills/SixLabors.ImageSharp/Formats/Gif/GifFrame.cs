using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats.Gif;

/// <summary>One decoded picture of a GIF: palette indices in a rectangle of the canvas.</summary>
internal sealed class GifFrame
{
    public required Rectangle Place { get; init; }

    public required byte[] Indices { get; init; }

    /// <summary>Three bytes a colour.</summary>
    public required byte[] Palette { get; init; }

    /// <summary>Index that leaves the canvas as it is; -1: none.</summary>
    public required int Transparent { get; init; }

    public required GifDisposal Disposal { get; init; }

    public required bool Interlaced { get; init; }

    public void Draw(Image<Rgba32> canvas)
    {
        for (var line = 0; line < Place.Height; line++)
        {
            var y = Place.Y + (Interlaced ? Deinterlace(line) : line);
            // rows below the canvas have no indices
            for (var x = 0; y < canvas.Height && x < Place.Width && Place.X + x < canvas.Width; x++)
            {
                var index = Indices[((long)line * Place.Width) + x];
                if (index != Transparent && (3 * index) + 2 < Palette.Length)
                    canvas[Place.X + x, y] = new Rgba32(Palette[3 * index], Palette[(3 * index) + 1], Palette[(3 * index) + 2]);
            }
        }
    }

    public void Clear(Image<Rgba32> canvas)
    {
        var visible = Rectangle.Intersect(Place, canvas.Bounds);
        for (var y = visible.Top; y < visible.Bottom; y++)
            canvas.Frames.RootFrame.Pixels.Row(y).Slice(visible.Left, visible.Width).Clear();
    }

    /// <summary>Interlaced rows come as every 8th from 0, every 8th from 4, every 4th from 2, every 2nd from 1.</summary>
    private int Deinterlace(int line)
    {
        foreach (var (start, step) in ((int, int)[])[(0, 8), (4, 8), (2, 4), (1, 2)])
        {
            var rows = Math.Max(0, (Place.Height - start + step - 1) / step);
            if (line < rows)
                return start + (line * step);
            line -= rows;
        }
        return 0;
    }
}
