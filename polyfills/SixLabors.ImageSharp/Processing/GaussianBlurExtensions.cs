using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Softening.</summary>
public static class GaussianBlurExtensions
{
    /// <summary>Sigma of 3 pixels.</summary>
    public static IImageProcessingContext GaussianBlur(this IImageProcessingContext source) => GaussianBlur(source, 3F);

    /// <param name="source">the image</param>
    /// <param name="sigma">standard deviation in pixels, above 0</param>
    public static IImageProcessingContext GaussianBlur(this IImageProcessingContext source, float sigma) => source.Apply(new GaussianBlurOperation(sigma));
}
