using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>One byte of luminance.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct L8 : IPixel<L8>, IPackedVector<byte>
{
    public byte PackedValue { get; set; }

    public L8(byte luminance) => PackedValue = luminance;

    public static bool operator ==(L8 left, L8 right) => left.Equals(right);

    public static bool operator !=(L8 left, L8 right) => !left.Equals(right);

    public void FromScaledVector4(Vector4 vector) => FromVector4(vector);

    public readonly Vector4 ToScaledVector4() => ToVector4();

    public void FromVector4(Vector4 vector)
    {
        vector = ColorNumerics.ToBytes(vector);
        PackedValue = ColorNumerics.Luminance((byte)vector.X, (byte)vector.Y, (byte)vector.Z);
    }

    public readonly Vector4 ToVector4()
    {
        var grey = PackedValue / 255F;
        return new Vector4(grey, grey, grey, 1F);
    }

    public void FromBgr24(Bgr24 source) => PackedValue = ColorNumerics.Luminance(source.R, source.G, source.B);

    public void FromL8(L8 source) => this = source;

    public void FromL16(L16 source) => PackedValue = ColorNumerics.ToByte(source.PackedValue);

    public void FromRgb24(Rgb24 source) => PackedValue = ColorNumerics.Luminance(source.R, source.G, source.B);

    public void FromRgba32(Rgba32 source) => PackedValue = ColorNumerics.Luminance(source.R, source.G, source.B);

    public void FromRgba64(Rgba64 source) =>
        PackedValue = ColorNumerics.Luminance(ColorNumerics.ToByte(source.R), ColorNumerics.ToByte(source.G), ColorNumerics.ToByte(source.B));

    public readonly void ToRgba32(ref Rgba32 dest) => dest = new Rgba32(PackedValue, PackedValue, PackedValue);

    public readonly bool Equals(L8 other) => PackedValue == other.PackedValue;

    public override readonly bool Equals(object? obj) => obj is L8 other && Equals(other);

    public override readonly string ToString() => $"L8({PackedValue})";

    public override readonly int GetHashCode() => PackedValue.GetHashCode();
}
