using System.Runtime.CompilerServices;
using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp.Formats;

/// <summary>How many bits a pixel takes.</summary>
public class PixelTypeInfo
{
    public PixelTypeInfo(int bitsPerPixel) => BitsPerPixel = bitsPerPixel;

    public int BitsPerPixel { get; }

    internal static PixelTypeInfo Create<TPixel>()
        where TPixel : unmanaged, IPixel<TPixel> => new(Unsafe.SizeOf<TPixel>() * 8);
}
