namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Keeps a rectangle that lies inside the image.</summary>
internal sealed class CropOperation(Rectangle rectangle) : ImageOperation
{
    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image) => Remake(image, rectangle.Width, rectangle.Height, (from, to) =>
    {
        for (var y = 0; y < rectangle.Height; y++)
            from.Pixels.Row(rectangle.Y + y).Slice(rectangle.X, rectangle.Width).CopyTo(to.Pixels.Row(y));
    });
}
