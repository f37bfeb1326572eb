using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>16 bits of luminance.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct L16 : IPixel<L16>, IPackedVector<ushort>
{
    public ushort PackedValue { get; set; }

    public L16(ushort luminance) => PackedValue = luminance;

    public static bool operator ==(L16 left, L16 right) => left.Equals(right);

    public static bool operator !=(L16 left, L16 right) => !left.Equals(right);

    public void FromScaledVector4(Vector4 vector) => FromVector4(vector);

    public readonly Vector4 ToScaledVector4() => ToVector4();

    public void FromVector4(Vector4 vector)
    {
        vector = Vector4.Clamp(vector, Vector4.Zero, Vector4.One) * 65535F;
        PackedValue = ColorNumerics.Luminance(vector.X, vector.Y, vector.Z);
    }

    public readonly Vector4 ToVector4()
    {
        var grey = PackedValue / 65535F;
        return new Vector4(grey, grey, grey, 1F);
    }

    public void FromBgr24(Bgr24 source) => FromRgb24(new Rgb24(source.R, source.G, source.B));

    public void FromL8(L8 source) => PackedValue = ColorNumerics.ToWord(source.PackedValue);

    public void FromL16(L16 source) => this = source;

    public void FromRgb24(Rgb24 source) =>
        PackedValue = ColorNumerics.Luminance((float)ColorNumerics.ToWord(source.R), ColorNumerics.ToWord(source.G), ColorNumerics.ToWord(source.B));

    public void FromRgba32(Rgba32 source) => FromRgb24(new Rgb24(source.R, source.G, source.B));

    public void FromRgba64(Rgba64 source) => PackedValue = ColorNumerics.Luminance((float)source.R, source.G, source.B);

    public readonly void ToRgba32(ref Rgba32 dest)
    {
        var grey = ColorNumerics.ToByte(PackedValue);
        dest = new Rgba32(grey, grey, grey);
    }

    public readonly bool Equals(L16 other) => PackedValue == other.PackedValue;

    public override readonly bool Equals(object? obj) => obj is L16 other && Equals(other);

    public override readonly string ToString() => $"L16({PackedValue})";

    public override readonly int GetHashCode() => PackedValue.GetHashCode();
}
