using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>A float with 8 bits of exponent and 7 of fraction: the upper half of an IEEE single.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct BFloat16 : IComparable<BFloat16>, IEquatable<BFloat16>
{
    private readonly ushort value;

    private BFloat16(ushort rawValue, bool raw) => value = rawValue;

    public BFloat16(float f) => value = Round(f);

    public static BFloat16 FromRawValue(ushort rawValue) => new(rawValue, true);

    /// <summary>To nearest, ties to even, as libtorch does; a NaN stays one.</summary>
    private static ushort Round(float f)
    {
        var bits = BitConverter.SingleToUInt32Bits(f);
        return float.IsNaN(f) ? (ushort)(bits >> 16 | 0x40) : (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
    }

    public float ToSingle() => BitConverter.Int32BitsToSingle(value << 16);

    public static explicit operator float(BFloat16 bf) => bf.ToSingle();

    public static explicit operator double(BFloat16 bf) => bf.ToSingle();

    public static explicit operator BFloat16(float f) => new(f);

    public static explicit operator BFloat16(double d) => new((float)d);

    public static bool operator ==(BFloat16 a, BFloat16 b) => a.ToSingle() == b.ToSingle();

    public static bool operator !=(BFloat16 a, BFloat16 b) => a.ToSingle() != b.ToSingle();

    public bool Equals(BFloat16 other) => ToSingle() == other.ToSingle();

    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    public override int GetHashCode() => ToSingle().GetHashCode();

    public int CompareTo(BFloat16 other) => ToSingle().CompareTo(other.ToSingle());

    public override string ToString() => ToSingle().ToString();
}
