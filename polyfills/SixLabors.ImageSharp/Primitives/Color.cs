using SixLabors.ImageSharp.PixelFormats;

namespace SixLabors.ImageSharp;

/// <summary>A colour of no particular pixel format, 16 bits a channel; alpha is not multiplied in.</summary>
/// <remarks><c>FromRgb</c> and the named colours beyond the three are left out on purpose: the product writes pixels.</remarks>
public readonly struct Color : IEquatable<Color>
{
    public static readonly Color Black = FromRgba(0, 0, 0, 255);
    public static readonly Color Transparent = FromRgba(0, 0, 0, 0);
    public static readonly Color White = FromRgba(255, 255, 255, 255);

    private readonly Rgba64 data;

    public Color(Rgba64 pixel) => data = pixel;

    public Color(L16 pixel) => data.FromL16(pixel);

    public Color(Rgba32 pixel) => data.FromRgba32(pixel);

    public Color(Rgb24 pixel) => data.FromRgb24(pixel);

    public Color(Bgr24 pixel) => data.FromBgr24(pixel);

    public static bool operator ==(Color left, Color right) => left.Equals(right);

    public static bool operator !=(Color left, Color right) => !left.Equals(right);

    public static Color FromRgba(byte r, byte g, byte b, byte a) => new(new Rgba32(r, g, b, a));

    public static Color FromPixel<TPixel>(TPixel pixel)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        Rgba64 wide = default;
        PixelRows.Convert<TPixel, Rgba64>([pixel], new Span<Rgba64>(ref wide));
        return new Color(wide);
    }

    public TPixel ToPixel<TPixel>()
        where TPixel : unmanaged, IPixel<TPixel>
    {
        TPixel pixel = default;
        pixel.FromRgba64(data);
        return pixel;
    }

    public bool Equals(Color other) => data.PackedValue == other.data.PackedValue;

    public override bool Equals(object? obj) => obj is Color other && Equals(other);

    public override int GetHashCode() => data.PackedValue.GetHashCode();
}
