using SixLabors.ImageSharp.Processing.Processors.Transforms;
using SixLabors.ImageSharp.Processing.Operations;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Changing the size. A side of 0 follows from the other one.</summary>
public static class ResizeExtensions
{
    public static IImageProcessingContext Resize(this IImageProcessingContext source, Size size) => Resize(source, size.Width, size.Height);

    public static IImageProcessingContext Resize(this IImageProcessingContext source, int width, int height) =>
        Resize(source, width, height, KnownResamplers.Bicubic, false);

    public static IImageProcessingContext Resize(this IImageProcessingContext source, int width, int height, IResampler sampler) =>
        Resize(source, width, height, sampler, false);

    public static IImageProcessingContext Resize(this IImageProcessingContext source, Size size, IResampler sampler, bool compand) =>
        Resize(source, size.Width, size.Height, sampler, compand);

    public static IImageProcessingContext Resize(this IImageProcessingContext source, int width, int height, IResampler sampler, bool compand) =>
        Resize(source, width, height, sampler, new Rectangle(0, 0, width, height), compand);

    public static IImageProcessingContext Resize(
        this IImageProcessingContext source, int width, int height, IResampler sampler, Rectangle targetRectangle, bool compand) =>
        Resize(source, Manual(width, height, sampler, targetRectangle, compand));

    public static IImageProcessingContext Resize(
        this IImageProcessingContext source, int width, int height, IResampler sampler, Rectangle sourceRectangle, Rectangle targetRectangle, bool compand) =>
        source.Apply(new ResizeOperation(Manual(width, height, sampler, targetRectangle, compand), sourceRectangle));

    public static IImageProcessingContext Resize(this IImageProcessingContext source, ResizeOptions options) => source.Apply(new ResizeOperation(options));

    private static ResizeOptions Manual(int width, int height, IResampler sampler, Rectangle target, bool compand) =>
        new() { Size = new Size(width, height), Mode = ResizeMode.Manual, Sampler = sampler, TargetRectangle = target, Compand = compand };
}
