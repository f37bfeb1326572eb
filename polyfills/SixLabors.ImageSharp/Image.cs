using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace SixLabors.ImageSharp;

/// <summary>A picture whose pixel type is not known at compile time.</summary>
public abstract partial class Image : IDisposable
{
    private bool isDisposed;

    internal Image(Configuration configuration, PixelTypeInfo pixelType, ImageMetadata metadata, Size size)
    {
        Configuration = configuration;
        PixelType = pixelType;
        Metadata = metadata;
        Size = size;
    }

    public Configuration Configuration { get; }

    public PixelTypeInfo PixelType { get; }

    public int Width => Size.Width;

    public int Height => Size.Height;

    public ImageMetadata Metadata { get; }

    public Size Size { get; internal set; }

    public Rectangle Bounds => new(0, 0, Width, Height);

    public ImageFrameCollection Frames => NonGenericFrameCollection;

    protected abstract ImageFrameCollection NonGenericFrameCollection { get; }

    public void Dispose()
    {
        if (isDisposed)
            return;
        Dispose(true);
        GC.SuppressFinalize(this);
        isDisposed = true;
    }

    public void Save(Stream stream, IImageEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(encoder);
        EnsureNotDisposed();
        Encode(stream, encoder);
    }

    public Task SaveAsync(Stream stream, IImageEncoder encoder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(encoder);
        EnsureNotDisposed();
        return EncodeAsync(stream, encoder, cancellationToken);
    }

    public Image<TPixel2> CloneAs<TPixel2>()
        where TPixel2 : unmanaged, IPixel<TPixel2> => CloneAs<TPixel2>(Configuration);

    public abstract Image<TPixel2> CloneAs<TPixel2>(Configuration configuration)
        where TPixel2 : unmanaged, IPixel<TPixel2>;

    protected abstract void Dispose(bool disposing);

    internal void EnsureNotDisposed()
    {
        if (isDisposed)
            throw new ObjectDisposedException(GetType().Name, "Trying to execute an operation on a disposed image.");
    }

    // Doors from the untyped image into generic code.
    internal abstract void Encode(Stream stream, IImageEncoder encoder);

    internal abstract Task EncodeAsync(Stream stream, IImageEncoder encoder, CancellationToken cancellationToken);

    internal abstract Image Process(Action<IImageProcessingContext> operation, bool mutate);
}
