namespace SixLabors.ImageSharp;

/// <summary>One picture of an image; all frames have the image's size.</summary>
public abstract class ImageFrame : IDisposable
{
    internal ImageFrame(Configuration configuration) => Configuration = configuration;

    public int Width => PixelSize.Width;

    public int Height => PixelSize.Height;

    public Configuration Configuration { get; }

    private protected abstract Size PixelSize { get; }

    public Size Size() => new(Width, Height);

    public Rectangle Bounds() => new(0, 0, Width, Height);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
