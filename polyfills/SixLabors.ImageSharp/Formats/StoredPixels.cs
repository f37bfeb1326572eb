using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats;

/// <summary>An image's first frame in the pixel type that a library wants: the image's own memory where that is it, else a copy.</summary>
internal readonly struct StoredPixels<TStored> : IDisposable
    where TStored : unmanaged, IPixel<TStored>
{
    private readonly Image keepAlive;
    private readonly IDisposable? copy;

    private StoredPixels(Image image, PixelMemory<TStored> pixels, bool isCopy)
    {
        keepAlive = image;
        Pixels = pixels;
        copy = isCopy ? pixels : null;
    }

    public PixelMemory<TStored> Pixels { get; }

    public static StoredPixels<TStored> From<TPixel>(Image<TPixel> image)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        var frame = image.Frames.RootFrame;
        return frame.Pixels is PixelMemory<TStored> own
            ? new StoredPixels<TStored>(image, own, false)
            : new StoredPixels<TStored>(image, frame.CloneAs<TStored>(image.Configuration).Pixels, true);
    }

    public void Dispose()
    {
        copy?.Dispose();
        GC.KeepAlive(keepAlive);
    }
}
