using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <summary>Rows of an image while <c>ProcessPixelRows</c> runs.</summary>
public ref struct PixelAccessor<TPixel>
    where TPixel : unmanaged, IPixel<TPixel>
{
    private readonly PixelMemory<TPixel> buffer;

    internal PixelAccessor(PixelMemory<TPixel> buffer) => this.buffer = buffer;

    public int Width => buffer.Width;

    public int Height => buffer.Height;

    /// <exception cref="ArgumentOutOfRangeException">No such row.</exception>
    public Span<TPixel> GetRowSpan(int rowIndex)
    {
        if ((uint)rowIndex >= (uint)buffer.Height)
            throw new ArgumentOutOfRangeException(nameof(rowIndex), rowIndex, $"The image has rows 0..{buffer.Height - 1}.");
        return buffer.Row(rowIndex);
    }
}

/// <summary>Work on the rows of one image.</summary>
public delegate void PixelAccessorAction<TPixel>(PixelAccessor<TPixel> pixelAccessor)
    where TPixel : unmanaged, IPixel<TPixel>;

/// <summary>Work on the rows of two images at once.</summary>
public delegate void PixelAccessorAction<TPixel1, TPixel2>(PixelAccessor<TPixel1> pixelAccessor1, PixelAccessor<TPixel2> pixelAccessor2)
    where TPixel1 : unmanaged, IPixel<TPixel1>
    where TPixel2 : unmanaged, IPixel<TPixel2>;

/// <summary>Work on the rows of three images at once.</summary>
public delegate void PixelAccessorAction<TPixel1, TPixel2, TPixel3>(
    PixelAccessor<TPixel1> pixelAccessor1,
    PixelAccessor<TPixel2> pixelAccessor2,
    PixelAccessor<TPixel3> pixelAccessor3)
    where TPixel1 : unmanaged, IPixel<TPixel1>
    where TPixel2 : unmanaged, IPixel<TPixel2>
    where TPixel3 : unmanaged, IPixel<TPixel3>;
