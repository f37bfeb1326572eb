namespace SixLabors.ImageSharp.Processing;

/// <summary>A border around the picture.</summary>
public static class PadExtensions
{
    public static IImageProcessingContext Pad(this IImageProcessingContext source, int width, int height) => source.Pad(width, height, default);

    /// <summary>Centres the picture in this size; never shrinks it.</summary>
    public static IImageProcessingContext Pad(this IImageProcessingContext source, int width, int height, Color color)
    {
        var size = source.GetCurrentSize();
        return source.Resize(new ResizeOptions
        {
            Size = new Size(Math.Max(width, size.Width), Math.Max(height, size.Height)),
            Mode = ResizeMode.BoxPad,
            Sampler = KnownResamplers.NearestNeighbor,
            PadColor = color,
        });
    }
}
