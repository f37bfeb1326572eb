using System.Numerics;
using System.Runtime.InteropServices;

namespace SixLabors.ImageSharp.PixelFormats;

/// <summary>Red, green, blue, alpha, 16 bits each, in this order; alpha is not multiplied in.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Rgba64 : IPixel<Rgba64>, IPackedVector<ulong>
{
    public ushort R;
    public ushort G;
    public ushort B;
    public ushort A;

    public Rgba64(ushort r, ushort g, ushort b, ushort a)
    {
        R = r;
        G = g;
        B = b;
        A = a;
    }

    public ulong PackedValue
    {
        readonly get => R | ((ulong)G << 16) | ((ulong)B << 32) | ((ulong)A << 48);
        set => (R, G, B, A) = ((ushort)value, (ushort)(value >> 16), (ushort)(value >> 32), (ushort)(value >> 48));
    }

    public static implicit operator Color(Rgba64 source) => new(source);

    public static implicit operator Rgba64(Color color) => color.ToPixel<Rgba64>();

    public static bool operator ==(Rgba64 left, Rgba64 right) => left.Equals(right);

    public static bool operator !=(Rgba64 left, Rgba64 right) => !left.Equals(right);

    public void FromScaledVector4(Vector4 vector) => FromVector4(vector);

    public readonly Vector4 ToScaledVector4() => ToVector4();

    public void FromVector4(Vector4 vector)
    {
        vector = Vector4.Clamp(vector, Vector4.Zero, Vector4.One) * 65535F;
        R = (ushort)MathF.Round(vector.X);
        G = (ushort)MathF.Round(vector.Y);
        B = (ushort)MathF.Round(vector.Z);
        A = (ushort)MathF.Round(vector.W);
    }

    public readonly Vector4 ToVector4() => new Vector4(R, G, B, A) / 65535F;

    public void FromBgr24(Bgr24 source)
    {
        R = ColorNumerics.ToWord(source.R);
        G = ColorNumerics.ToWord(source.G);
        B = ColorNumerics.ToWord(source.B);
        A = 65535;
    }

    public void FromL8(L8 source)
    {
        R = ColorNumerics.ToWord(source.PackedValue);
        G = ColorNumerics.ToWord(source.PackedValue);
        B = ColorNumerics.ToWord(source.PackedValue);
        A = 65535;
    }

    public void FromL16(L16 source)
    {
        R = source.PackedValue;
        G = source.PackedValue;
        B = source.PackedValue;
        A = 65535;
    }

    public void FromRgb24(Rgb24 source)
    {
        R = ColorNumerics.ToWord(source.R);
        G = ColorNumerics.ToWord(source.G);
        B = ColorNumerics.ToWord(source.B);
        A = 65535;
    }

    public void FromRgba32(Rgba32 source)
    {
        R = ColorNumerics.ToWord(source.R);
        G = ColorNumerics.ToWord(source.G);
        B = ColorNumerics.ToWord(source.B);
        A = ColorNumerics.ToWord(source.A);
    }

    public void FromRgba64(Rgba64 source) => this = source;

    public readonly void ToRgba32(ref Rgba32 dest) =>
        dest = new Rgba32(ColorNumerics.ToByte(R), ColorNumerics.ToByte(G), ColorNumerics.ToByte(B), ColorNumerics.ToByte(A));

    public readonly bool Equals(Rgba64 other) => PackedValue == other.PackedValue;

    public override readonly bool Equals(object? obj) => obj is Rgba64 other && Equals(other);

    public override readonly string ToString() => $"Rgba64({R}, {G}, {B}, {A})";

    public override readonly int GetHashCode() => PackedValue.GetHashCode();
}
