namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Quarter turns, clockwise.</summary>
internal sealed class RotateOperation(RotateMode mode) : ImageOperation
{
    private const int BlockPixels = 32; // reading columns row by row stays in the cache

    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        var turned = mode is RotateMode.Rotate90 or RotateMode.Rotate270;
        var (width, height) = turned ? (image.Height, image.Width) : (image.Width, image.Height);
        return Remake(image, width, height, (from, to) =>
        {
            for (var top = 0; top < from.Height; top += BlockPixels)
            {
                for (var left = 0; left < from.Width; left += BlockPixels)
                {
                    for (var y = top; y < Math.Min(top + BlockPixels, from.Height); y++)
                    {
                        var row = from.Pixels.Row(y);
                        for (var x = left; x < Math.Min(left + BlockPixels, from.Width); x++)
                        {
                            var (tx, ty) = mode switch
                            {
                                RotateMode.Rotate90 => (from.Height - 1 - y, x),
                                RotateMode.Rotate180 => (from.Width - 1 - x, from.Height - 1 - y),
                                RotateMode.Rotate270 => (y, from.Width - 1 - x),
                                _ => (x, y),
                            };
                            to.Pixels.At(tx, ty) = row[x];
                        }
                    }
                }
            }
        });
    }
}
