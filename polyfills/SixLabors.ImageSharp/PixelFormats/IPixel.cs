using System.Numerics;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>What every pixel can be made of and turned into. Implemented by this library only.</summary>
public interface IPixel
{
    /// <param name="vector">red, green, blue, alpha in 0..1</param>
    void FromScaledVector4(Vector4 vector);

    Vector4 ToScaledVector4();

    void FromVector4(Vector4 vector);

    Vector4 ToVector4();

    void FromBgr24(Bgr24 source);

    void FromL8(L8 source);

    void FromL16(L16 source);

    void FromRgb24(Rgb24 source);

    void FromRgba32(Rgba32 source);

    void ToRgba32(ref Rgba32 dest);

    void FromRgba64(Rgba64 source);
}

/// <summary>A pixel type: the constraint of <see cref="Image{TPixel}"/>.</summary>
public interface IPixel<TSelf> : IPixel, IEquatable<TSelf>
    where TSelf : unmanaged, IPixel<TSelf>
{
}
