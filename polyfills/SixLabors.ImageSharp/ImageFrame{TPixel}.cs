using System.Runtime.InteropServices;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <summary>One picture of an image, with its pixels.</summary>
public sealed class ImageFrame<TPixel> : ImageFrame
    where TPixel : unmanaged, IPixel<TPixel>
{
    internal ImageFrame(Configuration configuration, PixelMemory<TPixel> pixels)
        : base(configuration) => Pixels = pixels;

    /// <summary>The pixels; replaced when an operation changes the size.</summary>
    internal PixelMemory<TPixel> Pixels { get; set; }

    private protected override Size PixelSize => new(Pixels.Width, Pixels.Height);

    /// <exception cref="ArgumentOutOfRangeException">Outside the frame.</exception>
    public TPixel this[int x, int y]
    {
        get
        {
            VerifyCoordinates(x, y);
            return Pixels.At(x, y);
        }

        set
        {
            VerifyCoordinates(x, y);
            Pixels.At(x, y) = value;
        }
    }

    public void ProcessPixelRows(PixelAccessorAction<TPixel> processPixels)
    {
        ArgumentNullException.ThrowIfNull(processPixels);
        processPixels(new PixelAccessor<TPixel>(Pixels));
        GC.KeepAlive(this);
    }

    public void CopyPixelDataTo(Span<TPixel> destination)
    {
        if (destination.Length < (long)Width * Height)
            throw new ArgumentException($"The destination has {destination.Length} pixels, the image {(long)Width * Height}.", nameof(destination));
        for (var y = 0; y < Height; y++)
            Pixels.Row(y).CopyTo(destination[(y * Width)..]);
        GC.KeepAlive(this);
    }

    public void CopyPixelDataTo(Span<byte> destination) => CopyPixelDataTo(MemoryMarshal.Cast<byte, TPixel>(destination));

    public override string ToString() => $"ImageFrame<{typeof(TPixel).Name}>({Width}x{Height})";

    internal ImageFrame<TOther> CloneAs<TOther>(Configuration configuration)
        where TOther : unmanaged, IPixel<TOther>
    {
        var copy = configuration.MemoryAllocator.Allocate<TOther>(Width, Height, clean: false);
        for (var y = 0; y < Height; y++)
            PixelRows.Convert<TPixel, TOther>(Pixels.Row(y), copy.Row(y));
        GC.KeepAlive(this);
        return new ImageFrame<TOther>(configuration, copy);
    }

    protected override void Dispose(bool disposing) => ((IDisposable)Pixels).Dispose();

    private void VerifyCoordinates(int x, int y)
    {
        if ((uint)x >= (uint)Pixels.Width)
            throw new ArgumentOutOfRangeException(nameof(x), x, $"{x} is outside the image bounds 0..{Pixels.Width - 1}.");
        if ((uint)y >= (uint)Pixels.Height)
            throw new ArgumentOutOfRangeException(nameof(y), y, $"{y} is outside the image bounds 0..{Pixels.Height - 1}.");
    }
}
