namespace SixLabors.ImageSharp.Processing;

/// <summary>A quarter turn, then a mirror.</summary>
public static class RotateFlipExtensions
{
    public static IImageProcessingContext RotateFlip(this IImageProcessingContext source, RotateMode rotateMode, FlipMode flipMode) =>
        source.Rotate(rotateMode).Flip(flipMode);
}
