using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Laying one picture over another.</summary>
public static class DrawImageExtensions
{
    public static IImageProcessingContext DrawImage(this IImageProcessingContext source, Image foreground, float opacity) =>
        DrawImage(source, foreground, Point.Empty, opacity);

    /// <param name="source">the image below</param>
    /// <param name="foreground">the image above</param>
    /// <param name="backgroundLocation">where its left top corner goes; may be negative</param>
    /// <param name="opacity">0 nothing .. 1 as it is</param>
    public static IImageProcessingContext DrawImage(this IImageProcessingContext source, Image foreground, Point backgroundLocation, float opacity) =>
        source.Apply(new DrawImageOperation(foreground, backgroundLocation, opacity));
}
