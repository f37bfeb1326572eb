using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Red, green, blue, alpha, one byte each, in this order; alpha is not multiplied in.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Rgba32 : IPixel<Rgba32>, IPackedVector<uint>
{
    public byte R;
    public byte G;
    public byte B;
    public byte A;

    public Rgba32(byte r, byte g, byte b)
        : this(r, g, b, 255)
    {
    }

    public Rgba32(byte r, byte g, byte b, byte a)
    {
        R = r;
        G = g;
        B = b;
        A = a;
    }

    public uint PackedValue
    {
        readonly get => (uint)(R | (G << 8) | (B << 16) | (A << 24));
        set => (R, G, B, A) = ((byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24));
    }

    public static implicit operator Color(Rgba32 source) => new(source);

    public static implicit operator Rgba32(Color color) => color.ToPixel<Rgba32>();

    public static bool operator ==(Rgba32 left, Rgba32 right) => left.Equals(right);

    public static bool operator !=(Rgba32 left, Rgba32 right) => !left.Equals(right);

    public void FromScaledVector4(Vector4 vector) => FromVector4(vector);

    public readonly Vector4 ToScaledVector4() => ToVector4();

    public void FromVector4(Vector4 vector)
    {
        vector = ColorNumerics.ToBytes(vector);
        R = (byte)vector.X;
        G = (byte)vector.Y;
        B = (byte)vector.Z;
        A = (byte)vector.W;
    }

    public readonly Vector4 ToVector4() => new Vector4(R, G, B, A) / 255F;

    public void FromBgr24(Bgr24 source)
    {
        R = source.R;
        G = source.G;
        B = source.B;
        A = 255;
    }

    public void FromL8(L8 source)
    {
        R = source.PackedValue;
        G = source.PackedValue;
        B = source.PackedValue;
        A = 255;
    }

    public void FromL16(L16 source)
    {
        R = ColorNumerics.ToByte(source.PackedValue);
        G = ColorNumerics.ToByte(source.PackedValue);
        B = ColorNumerics.ToByte(source.PackedValue);
        A = 255;
    }

    public void FromRgb24(Rgb24 source)
    {
        R = source.R;
        G = source.G;
        B = source.B;
        A = 255;
    }

    public void FromRgba32(Rgba32 source) => this = source;

    public void FromRgba64(Rgba64 source)
    {
        R = ColorNumerics.ToByte(source.R);
        G = ColorNumerics.ToByte(source.G);
        B = ColorNumerics.ToByte(source.B);
        A = ColorNumerics.ToByte(source.A);
    }

    public readonly void ToRgba32(ref Rgba32 dest) => dest = new Rgba32(R, G, B, A);

    public readonly bool Equals(Rgba32 other) => PackedValue == other.PackedValue;

    public override readonly bool Equals(object? obj) => obj is Rgba32 other && Equals(other);

    public override readonly string ToString() => $"Rgba32({R}, {G}, {B}, {A})";

    public override readonly int GetHashCode() => PackedValue.GetHashCode();
}
