using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Removing colour.</summary>
public static class GrayscaleExtensions
{
    public static IImageProcessingContext Grayscale(this IImageProcessingContext source) => Grayscale(source, GrayscaleMode.Bt709);

    public static IImageProcessingContext Grayscale(this IImageProcessingContext source, GrayscaleMode mode) => source.Apply(new GrayscaleOperation(mode));
}
