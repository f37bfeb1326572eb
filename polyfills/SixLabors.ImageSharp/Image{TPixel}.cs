using System.Runtime.InteropServices;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace SixLabors.ImageSharp;

/// <summary>A picture of one pixel type. Dispose gives its memory back.</summary>
public sealed class Image<TPixel> : Image
    where TPixel : unmanaged, IPixel<TPixel>
{
    // The real library's pool works in blocks of 4 MiB: a larger picture is in pieces unless the configuration prefers one.
    private const int LargestSinglePieceBytes = 4 << 20;

    private readonly ImageFrameCollection<TPixel> frames;

    /// <summary>All pixels zero. Width and height above 0.</summary>
    public Image(Configuration configuration, int width, int height)
        : this(configuration, new ImageMetadata(), width, height, clean: true)
    {
    }

    public Image(Configuration configuration, int width, int height, TPixel backgroundColor)
        : this(configuration, new ImageMetadata(), width, height, clean: false)
    {
        for (var y = 0; y < height; y++)
            frames.RootFrame.Pixels.Row(y).Fill(backgroundColor);
    }

    public Image(int width, int height, TPixel backgroundColor)
        : this(Configuration.Default, width, height, backgroundColor)
    {
    }

    public Image(int width, int height)
        : this(Configuration.Default, width, height)
    {
    }

    internal Image(Configuration configuration, ImageMetadata metadata, int width, int height, bool clean)
        : this(configuration, metadata, [new ImageFrame<TPixel>(configuration, Allocate(configuration, width, height, clean))])
    {
    }

    internal Image(Configuration configuration, ImageMetadata metadata, IReadOnlyList<ImageFrame<TPixel>> frames)
        : base(configuration, PixelTypeInfo.Create<TPixel>(), metadata, frames[0].Size()) =>
        this.frames = new ImageFrameCollection<TPixel>(this, frames);

    public new ImageFrameCollection<TPixel> Frames
    {
        get
        {
            EnsureNotDisposed();
            return frames;
        }
    }

    protected override ImageFrameCollection NonGenericFrameCollection => Frames;

    /// <exception cref="ArgumentOutOfRangeException">Outside the image.</exception>
    public TPixel this[int x, int y]
    {
        get
        {
            EnsureNotDisposed();
            return frames.RootFrame[x, y];
        }

        set
        {
            EnsureNotDisposed();
            frames.RootFrame[x, y] = value;
        }
    }

    /// <summary>Runs <paramref name="processPixels"/> over the first frame's rows; spans must not leave it.</summary>
    public void ProcessPixelRows(PixelAccessorAction<TPixel> processPixels) => Frames.RootFrame.ProcessPixelRows(processPixels);

    public void ProcessPixelRows<TPixel2>(Image<TPixel2> image2, PixelAccessorAction<TPixel, TPixel2> processPixels)
        where TPixel2 : unmanaged, IPixel<TPixel2>
    {
        ArgumentNullException.ThrowIfNull(image2);
        ArgumentNullException.ThrowIfNull(processPixels);
        processPixels(Accessor(), image2.Accessor());
        GC.KeepAlive(this);
        GC.KeepAlive(image2);
    }

    public void ProcessPixelRows<TPixel2, TPixel3>(
        Image<TPixel2> image2, Image<TPixel3> image3, PixelAccessorAction<TPixel, TPixel2, TPixel3> processPixels)
        where TPixel2 : unmanaged, IPixel<TPixel2>
        where TPixel3 : unmanaged, IPixel<TPixel3>
    {
        ArgumentNullException.ThrowIfNull(image2);
        ArgumentNullException.ThrowIfNull(image3);
        ArgumentNullException.ThrowIfNull(processPixels);
        processPixels(Accessor(), image2.Accessor(), image3.Accessor());
        GC.KeepAlive(this);
        GC.KeepAlive(image2);
        GC.KeepAlive(image3);
    }

    /// <summary>The first frame's pixels, row after row.</summary>
    public void CopyPixelDataTo(Span<TPixel> destination) => Frames.RootFrame.CopyPixelDataTo(destination);

    public void CopyPixelDataTo(Span<byte> destination) => Frames.RootFrame.CopyPixelDataTo(destination);

    /// <summary>The first frame's own memory; false where it is larger than 4 MiB and <see cref="Configuration"/> does not prefer one piece.</summary>
    public bool DangerousTryGetSinglePixelMemory(out Memory<TPixel> memory)
    {
        var pixels = Frames.RootFrame.Pixels;
        var single = pixels.ByteCount <= (Configuration.PreferContiguousImageBuffers ? int.MaxValue : LargestSinglePieceBytes);
        memory = single ? pixels.Memory : default;
        return single;
    }

    public Image<TPixel> Clone() => Clone(Configuration);

    public Image<TPixel> Clone(Configuration configuration) => CloneAs<TPixel>(configuration);

    /// <summary>A copy in another pixel type, metadata included.</summary>
    public override Image<TPixel2> CloneAs<TPixel2>(Configuration configuration) =>
        new(configuration, Metadata.DeepClone(), [.. Frames.Select<ImageFrame<TPixel>, ImageFrame<TPixel2>>(frame => frame.CloneAs<TPixel2>(configuration))]);

    public override string ToString() => $"Image<{typeof(TPixel).Name}>: {Width}x{Height}";

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            frames.Dispose();
    }

    internal static PixelMemory<TPixel> Allocate(Configuration configuration, int width, int height, bool clean)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        return configuration.MemoryAllocator.Allocate<TPixel>(width, height, clean);
    }

    /// <summary>Takes another image's pixels and size; the old ones go with <paramref name="donor"/>, which is disposed.</summary>
    internal void TakePixels(Image<TPixel> donor)
    {
        for (var i = 0; i < frames.Count; i++)
            (frames[i].Pixels, donor.frames[i].Pixels) = (donor.frames[i].Pixels, frames[i].Pixels);
        Size = donor.Size;
        donor.Dispose();
    }

    internal override void Encode(Stream stream, IImageEncoder encoder) => encoder.Encode(this, stream);

    internal override Task EncodeAsync(Stream stream, IImageEncoder encoder, CancellationToken cancellationToken) =>
        encoder.EncodeAsync(this, stream, cancellationToken);

    internal override Image Process(Action<IImageProcessingContext> operation, bool mutate) => ProcessTyped(operation, mutate);

    internal Image<TPixel> ProcessTyped(Action<IImageProcessingContext> operation, bool mutate)
    {
        EnsureNotDisposed();
        using var context = new ProcessingContext<TPixel>(this, mutate);
        operation(context);
        return context.TakeResult();
    }

    private PixelAccessor<TPixel> Accessor() => new(Frames.RootFrame.Pixels);
}
