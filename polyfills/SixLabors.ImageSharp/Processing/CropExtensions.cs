using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Cutting a part out.</summary>
public static class CropExtensions
{
    public static IImageProcessingContext Crop(this IImageProcessingContext source, int width, int height) => Crop(source, new Rectangle(0, 0, width, height));

    /// <exception cref="ArgumentException">The rectangle reaches over the image.</exception>
    public static IImageProcessingContext Crop(this IImageProcessingContext source, Rectangle cropRectangle)
    {
        if (!new Rectangle(new Point(0, 0), source.GetCurrentSize()).Contains(cropRectangle))
            throw new ArgumentException("Crop rectangle should be smaller than the source bounds.", nameof(cropRectangle));
        return source.Apply(new CropOperation(cropRectangle));
    }
}
