using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Red, green, blue, one byte each, in this order.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Rgb24 : IPixel<Rgb24>
{
    public byte R;
    public byte G;
    public byte B;

    public Rgb24(byte r, byte g, byte b)
    {
        R = r;
        G = g;
        B = b;
    }

    public static implicit operator Color(Rgb24 source) => new(source);

    public static implicit operator Rgb24(Color color) => color.ToPixel<Rgb24>();

    public static bool operator ==(Rgb24 left, Rgb24 right) => left.Equals(right);

    public static bool operator !=(Rgb24 left, Rgb24 right) => !left.Equals(right);

    public void FromScaledVector4(Vector4 vector) => FromVector4(vector);

    public readonly Vector4 ToScaledVector4() => ToVector4();

    public void FromVector4(Vector4 vector)
    {
        vector = ColorNumerics.ToBytes(vector);
        R = (byte)vector.X;
        G = (byte)vector.Y;
        B = (byte)vector.Z;
    }

    public readonly Vector4 ToVector4() => new Vector4(R, G, B, 255F) / 255F;

    public void FromBgr24(Bgr24 source)
    {
        R = source.R;
        G = source.G;
        B = source.B;
    }

    public void FromL8(L8 source)
    {
        R = source.PackedValue;
        G = source.PackedValue;
        B = source.PackedValue;
    }

    public void FromL16(L16 source)
    {
        R = ColorNumerics.ToByte(source.PackedValue);
        G = ColorNumerics.ToByte(source.PackedValue);
        B = ColorNumerics.ToByte(source.PackedValue);
    }

    public void FromRgb24(Rgb24 source) => this = source;

    public void FromRgba32(Rgba32 source)
    {
        R = source.R;
        G = source.G;
        B = source.B;
    }

    public void FromRgba64(Rgba64 source)
    {
        R = ColorNumerics.ToByte(source.R);
        G = ColorNumerics.ToByte(source.G);
        B = ColorNumerics.ToByte(source.B);
    }

    public readonly void ToRgba32(ref Rgba32 dest) => dest = new Rgba32(R, G, B);

    public readonly bool Equals(Rgb24 other) => R == other.R && G == other.G && B == other.B;

    public override readonly bool Equals(object? obj) => obj is Rgb24 other && Equals(other);

    public override readonly string ToString() => $"Rgb24({R}, {G}, {B})";

    public override readonly int GetHashCode() => HashCode.Combine(R, B, G);
}
