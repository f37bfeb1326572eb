using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Blue, green, red, one byte each, in this order.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Bgr24 : IPixel<Bgr24>
{
    public byte B;
    public byte G;
    public byte R;

    public Bgr24(byte r, byte g, byte b)
    {
        R = r;
        G = g;
        B = b;
    }

    public static implicit operator Color(Bgr24 source) => new(source);

    public static implicit operator Bgr24(Color color) => color.ToPixel<Bgr24>();

    public static bool operator ==(Bgr24 left, Bgr24 right) => left.Equals(right);

    public static bool operator !=(Bgr24 left, Bgr24 right) => !left.Equals(right);

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

    public void FromBgr24(Bgr24 source) => this = source;

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

    public void FromRgb24(Rgb24 source)
    {
        R = source.R;
        G = source.G;
        B = source.B;
    }

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

    public readonly bool Equals(Bgr24 other) => R == other.R && G == other.G && B == other.B;

    public override readonly bool Equals(object? obj) => obj is Bgr24 other && Equals(other);

    public override readonly string ToString() => $"Bgr24({B}, {G}, {R})";

    public override readonly int GetHashCode() => HashCode.Combine(R, B, G);
}
