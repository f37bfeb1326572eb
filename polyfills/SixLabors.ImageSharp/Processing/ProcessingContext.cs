using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Processing;

/// <summary>Runs operations: on the image itself (Mutate), or on a copy that is made only when the first operation needs one (Clone).</summary>
internal sealed class ProcessingContext<TPixel>(Image<TPixel> source, bool mutate) : IImageProcessingContext, IDisposable
    where TPixel : unmanaged, IPixel<TPixel>
{
    private Image<TPixel>? result = mutate ? source : null;

    public Configuration Configuration => source.Configuration;

    private Image<TPixel> Current => result ?? source;

    public Size GetCurrentSize() => Current.Size;

    public IImageProcessingContext Apply(ImageOperation operation)
    {
        if (result is null && !operation.ReturnsNewImage)
            result = source.Clone();
        var made = operation.Execute(Current);
        if (made is null)
            return this;
        if (result is null)
            result = made;
        else
            result.TakePixels(made);
        return this;
    }

    public Image<TPixel> TakeResult()
    {
        var taken = result ?? source.Clone();
        result = null;
        return taken;
    }

    /// <summary>Drops a half-made copy where an operation threw.</summary>
    public void Dispose()
    {
        if (!mutate)
            result?.Dispose();
    }
}
