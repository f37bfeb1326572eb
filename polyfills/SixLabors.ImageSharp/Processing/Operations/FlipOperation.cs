namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Mirrors in place.</summary>
internal sealed class FlipOperation(FlipMode mode) : ImageOperation
{
    public override bool ReturnsNewImage => false;

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        foreach (var frame in image.Frames)
        {
            for (var y = 0; mode == FlipMode.Horizontal && y < frame.Height; y++)
                frame.Pixels.Row(y).Reverse();
            for (int y = 0, last = frame.Height - 1; mode == FlipMode.Vertical && y < last - y; y++)
            {
                var upper = frame.Pixels.Row(y);
                var lower = frame.Pixels.Row(last - y);
                for (var x = 0; x < upper.Length; x++)
                    (upper[x], lower[x]) = (lower[x], upper[x]);
            }
        }
        return null;
    }
}
