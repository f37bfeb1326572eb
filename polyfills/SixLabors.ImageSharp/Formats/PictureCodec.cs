using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats;

/// <summary>Reads one format. Headers and metadata are parsed here; pixels by the format's own library or code.</summary>
internal abstract class PictureCodec
{
    /// <summary>Writes a frame's pixels to <c>target</c> (rows of <c>stride</c> bytes) or throws.</summary>
    protected unsafe delegate void Fill(byte* target, long stride, int width, int height);

    public abstract IImageFormat Format { get; }

    /// <summary>True where the first bytes are this format's.</summary>
    public abstract bool Matches(ReadOnlySpan<byte> bytes);

    public abstract ImageInfo Identify(DecoderOptions options, ReadOnlySpan<byte> bytes);

    public abstract Image<TPixel> Decode<TPixel>(DecoderOptions options, ReadOnlySpan<byte> bytes)
        where TPixel : unmanaged, IPixel<TPixel>;

    /// <summary>The picture in the pixel type nearest to the file's.</summary>
    public abstract Image Decode(DecoderOptions options, ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Memory for a frame of <typeparamref name="TPixel"/>, filled with pixels stored as <typeparamref name="TStored"/>: without a
    /// detour where both are the same. The allocator's limit is tested before anything is decoded.
    /// </summary>
    /// <exception cref="InvalidImageContentException">The frame would be over the limit.</exception>
    protected static unsafe ImageFrame<TPixel> DecodeFrame<TStored, TPixel>(Configuration configuration, int width, int height, Fill fill)
        where TStored : unmanaged, IPixel<TStored>
        where TPixel : unmanaged, IPixel<TPixel>
    {
        PixelMemory<TPixel>? pixels = null;
        PixelMemory<TStored>? stored = null;
        try
        {
            // Zeroed, because a file that is cut off leaves rows unwritten.
            pixels = configuration.MemoryAllocator.Allocate<TPixel>(width, height, clean: true);
            stored = pixels as PixelMemory<TStored> ?? configuration.MemoryAllocator.Allocate<TStored>(width, height, clean: true);
            fill((byte*)stored.Pointer, (long)width * sizeof(TStored), width, height);
            for (var y = 0; !ReferenceEquals(stored, pixels) && y < height; y++)
                PixelRows.Convert<TStored, TPixel>(stored.Row(y), pixels.Row(y));
            return new ImageFrame<TPixel>(configuration, pixels);
        }
        catch (Exception failure)
        {
            (pixels as IDisposable)?.Dispose();
            if (failure is InvalidMemoryOperationException memory)
                throw new InvalidImageContentException(new Size(width, height), memory);
            throw;
        }
        finally
        {
            if (!ReferenceEquals(stored, pixels))
                (stored as IDisposable)?.Dispose();
        }
    }

    protected static Image<TPixel> One<TPixel>(DecoderOptions options, ImageMetadata metadata, ImageFrame<TPixel> frame)
        where TPixel : unmanaged, IPixel<TPixel> => new(options.Configuration, metadata, [frame]);
}
