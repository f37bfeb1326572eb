using System.Numerics;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Pictures.Decoding;

/// <summary>
/// A pixel that keeps nothing: whatever a decoder writes into it goes to <see cref="Rows"/>, in the order of writing. So a JPEG of
/// 108 megapixels is shrunk row by row as it is decoded, and the picture that ImageSharp fills is a byte a pixel that nobody touches.
/// </summary>
/// <remarks>
/// Only for decoders that write every pixel once, from the top, from the left: JPEG and WebP of ImageSharp 2.1. <see cref="RowCollector"/>
/// counts, and the tests compare with the same picture decoded whole.
/// </remarks>
internal struct RowPixel : IPixel<RowPixel>
{
    /// <summary>Of the picture that this thread decodes.</summary>
    [ThreadStatic]
    public static RowCollector? Rows;

    public readonly void FromRgb24(Rgb24 source) => Rows!.Add(new Rgba32(source.R, source.G, source.B));

    public readonly void FromBgr24(Bgr24 source) => Rows!.Add(new Rgba32(source.R, source.G, source.B));

    public readonly void FromBgra32(Bgra32 source) => Rows!.Add(new Rgba32(source.R, source.G, source.B, source.A));

    public readonly void FromRgba32(Rgba32 source) => Rows!.Add(source);

    public readonly void FromArgb32(Argb32 source) => Unexpected();

    public readonly void FromAbgr32(Abgr32 source) => Unexpected();

    public readonly void FromBgra5551(Bgra5551 source) => Unexpected();

    public readonly void FromL8(L8 source) => Unexpected();

    public readonly void FromL16(L16 source) => Unexpected();

    public readonly void FromLa16(La16 source) => Unexpected();

    public readonly void FromLa32(La32 source) => Unexpected();

    public readonly void FromRgb48(Rgb48 source) => Unexpected();

    public readonly void FromRgba64(Rgba64 source) => Unexpected();

    public readonly void FromScaledVector4(Vector4 vector) => Unexpected();

    public readonly void FromVector4(Vector4 vector) => Unexpected();

    public readonly void ToRgba32(ref Rgba32 dest) => Unexpected();

    public readonly Vector4 ToScaledVector4() => throw Unexpected();

    public readonly Vector4 ToVector4() => throw Unexpected();

    public readonly PixelOperations<RowPixel> CreatePixelOperations() => new();

    public readonly bool Equals(RowPixel other) => true;

    public override readonly bool Equals(object? obj) => obj is RowPixel;

    public override readonly int GetHashCode() => 0;

    private static NotSupportedException Unexpected() =>
        throw new NotSupportedException("A decoder treats pixels otherwise than ImageSharp 2.1 did: decode this format into Rgba32.");
}
