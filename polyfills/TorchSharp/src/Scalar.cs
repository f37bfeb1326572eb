namespace TorchSharp;

/// <summary>A number that is not a tensor: what the arithmetic members take beside tensors.</summary>
public sealed class Scalar : IDisposable
{
    internal readonly NativeScalar Value;

    internal Scalar(NativeScalar value) => Value = value;

    public static implicit operator Scalar(byte value) => new(NativeScalar.Of((long)value));

    public static implicit operator Scalar(sbyte value) => new(NativeScalar.Of((long)value));

    public static implicit operator Scalar(short value) => new(NativeScalar.Of((long)value));

    public static implicit operator Scalar(int value) => new(NativeScalar.Of((long)value));

    public static implicit operator Scalar(long value) => new(NativeScalar.Of(value));

    public static implicit operator Scalar(Half value) => new(NativeScalar.Of((double)value));

    public static implicit operator Scalar(BFloat16 value) => new(NativeScalar.Of((double)value));

    public static implicit operator Scalar(float value) => new(NativeScalar.Of((double)value));

    public static implicit operator Scalar(double value) => new(NativeScalar.Of(value));

    public static implicit operator Scalar(bool value) => new(NativeScalar.Of(value));

    /// <summary>As libtorch keeps it: Float64 for every real number, Int64 for every integer, Bool.</summary>
    public torch.ScalarType Type => Value.IsReal ? torch.ScalarType.Float64 : Value.IsBoolean ? torch.ScalarType.Bool : torch.ScalarType.Int64;

    public void Dispose()
    {
    }
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => value;

    public static Scalar ToScalar(this sbyte value) => value;

    public static Scalar ToScalar(this short value) => value;

    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this bool value) => value;

    public static Scalar ToScalar(this Half value) => value;

    public static Scalar ToScalar(this BFloat16 value) => value;

    public static Half ToHalf(this Scalar value) => (Half)value.Value.AsDouble;

    public static BFloat16 ToBFloat16(this Scalar value) => (BFloat16)value.Value.AsDouble;

    public static float ToSingle(this Scalar value) => (float)value.Value.AsDouble;

    public static double ToDouble(this Scalar value) => value.Value.AsDouble;

    public static sbyte ToSByte(this Scalar value) => (sbyte)value.Value.AsInt64;

    public static byte ToByte(this Scalar value) => (byte)value.Value.AsInt64;

    public static short ToInt16(this Scalar value) => (short)value.Value.AsInt64;

    public static int ToInt32(this Scalar value) => (int)value.Value.AsInt64;

    public static long ToInt64(this Scalar value) => value.Value.AsInt64;

    public static bool ToBoolean(this Scalar value) => value.Value.AsDouble != 0;
}
