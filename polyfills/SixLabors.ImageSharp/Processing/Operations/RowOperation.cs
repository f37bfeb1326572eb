using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Changes colours row by row, in place.</summary>
internal abstract class RowOperation : ImageOperation
{
    public override bool ReturnsNewImage => false;

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        foreach (var frame in image.Frames)
        {
            Parallel.For(0, frame.Height, image.Configuration.Parallel, () => new Vector4[frame.Width], (y, _, line) =>
            {
                PixelRows.ToVectors<TPixel>(frame.Pixels.Row(y), line, premultiply: false, expand: false);
                Change(line, y);
                PixelRows.FromVectors(line, frame.Pixels.Row(y), premultiplied: false, compress: false);
                return line;
            }, _ => { });
        }
        return null;
    }

    /// <param name="line">red, green, blue, alpha in 0..1</param>
    /// <param name="y">row in the frame</param>
    protected abstract void Change(Span<Vector4> line, int y);

    /// <summary>Porter and Duff's "source over": <paramref name="source"/> lies on <paramref name="under"/>.</summary>
    protected static Vector4 Over(Vector4 under, Vector4 source)
    {
        var alpha = source.W + (under.W * (1 - source.W));
        var color = (source * source.W) + (under * (under.W * (1 - source.W)));
        return alpha == 0 ? Vector4.Zero : (color / alpha) with { W = alpha };
    }
}
