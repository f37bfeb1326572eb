using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Standing pictures upright.</summary>
public static class AutoOrientExtensions
{
    /// <summary>Applies the EXIF orientation and sets it to 1.</summary>
    public static IImageProcessingContext AutoOrient(this IImageProcessingContext source) => source.Apply(new AutoOrientOperation());
}
