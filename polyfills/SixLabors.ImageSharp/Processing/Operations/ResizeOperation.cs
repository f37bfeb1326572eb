using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace SixLabors.ImageSharp.Processing.Operations;

/// <summary>Resizing into a rectangle of the target, with the filter of the options.</summary>
internal sealed class ResizeOperation(ResizeOptions options, Rectangle? sourceRectangle = null) : ImageOperation
{
    public override Image<TPixel>? Execute<TPixel>(Image<TPixel> image)
    {
        var source = sourceRectangle is { } part ? Rectangle.Intersect(part, image.Bounds) : image.Bounds;
        var (size, target) = ResizePlan.Make(image.Size, options);
        if (size == image.Size && source == target)
            return image.Clone();
        var pads = options.Mode is ResizeMode.BoxPad or ResizeMode.Pad && options.PadColor != default;
        var fill = options.PadColor.ToPixel<TPixel>();
        var kernels = options.Sampler is NearestNeighborResampler
            ? default((ResizeKernels, ResizeKernels)?)
            : (new ResizeKernels(options.Sampler, target.Width, source.Width), new ResizeKernels(options.Sampler, target.Height, source.Height));
        return Remake(image, size.Width, size.Height, (from, to) =>
        {
            for (var y = 0; pads && y < to.Height; y++)
                to.Pixels.Row(y).Fill(fill);
            if (kernels is var (horizontal, vertical))
                new ResizePass<TPixel>(from, to, source, target, horizontal, vertical, options).Run();
            else
                PickNearest(from, to, source, target);
        });
    }

    private static void PickNearest<TPixel>(ImageFrame<TPixel> from, ImageFrame<TPixel> to, Rectangle source, Rectangle target)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var visible = Rectangle.Intersect(target, to.Bounds());
        var (perX, perY) = (source.Width / (float)target.Width, source.Height / (float)target.Height);
        for (var y = visible.Top; y < visible.Bottom; y++)
        {
            var line = from.Pixels.Row((int)(((y - target.Y) * perY) + source.Y));
            var result = to.Pixels.Row(y);
            for (var x = visible.Left; x < visible.Right; x++)
                result[x] = line[(int)(((x - target.X) * perX) + source.X)];
        }
    }
}
