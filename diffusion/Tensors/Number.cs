using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tensors;

/// <summary>
/// A number beside a tensor: <c>x * Num(0.5)</c>. The only way from a number into libtorch here; a test finds every other one.
/// </summary>
/// <remarks>
/// TorchSharp 0.107.0 turns <c>x * 0.5</c> into <c>x.mul((Scalar)0.5)</c>, and mul hands the Scalar's native pointer over. From then on
/// nothing refers to the Scalar, so a collection in another thread may finalise it, which frees the native number while libtorch still
/// reads it: "Unknown scalar type" or "Expected false to be true … toFloat", if not another number. It shows once the methods are
/// compiled to the last tier, which no longer keeps a variable to a method's end. What TorchSharp's own methods make inside dies as
/// early: the sum of two tensors passes a 1 so. (Scalar.cs and Tensor.Math.cs @c20b6a1; dotnet/TorchSharp issues 1434, 1496.)
/// Here each operation frees its Scalar when libtorch has returned, so it lives exactly as long as it is used. The bits are the same.
/// </remarks>
public readonly struct Number
{
    private static readonly Scalar s_one = 1L; // a static is never collected

    private readonly double real;
    private readonly long whole;
    private readonly bool isWhole;

    private Number(double real, long whole, bool isWhole) => (this.real, this.whole, this.isWhole) = (real, whole, isWhole);

    /// <summary>A number with a fraction: a tensor of whole numbers becomes fp32 by it. A float is the same number as its double.</summary>
    public static Number Num(double value) => new(value, 0, false);

    /// <summary>A whole number: a tensor of whole numbers stays one.</summary>
    public static Number Num(long value) => new(0, value, true);

    /// <summary>0, 1, … up to, not including, this number.</summary>
    public Tensor Range(ScalarType type, Device? device = null)
    {
        using Scalar start = 0L, stop = New(), step = 1L;
        return arange(start, stop, step, type, device);
    }

    public static Tensor operator +(Tensor left, Number right)
    {
        using var number = right.New();
        return left.add(number, s_one);
    }

    public static Tensor operator +(Number left, Tensor right) => right + left;

    public static Tensor operator -(Tensor left, Number right)
    {
        using var number = right.New();
        return left.sub(number);
    }

    public static Tensor operator -(Number left, Tensor right)
    {
        using var negative = right.negative();
        return negative + left;
    }

    public static Tensor operator *(Tensor left, Number right)
    {
        using var number = right.New();
        return left.mul(number);
    }

    public static Tensor operator *(Number left, Tensor right) => right * left;

    public static Tensor operator /(Tensor left, Number right)
    {
        using var number = right.New();
        return left.div(number);
    }

    public static Tensor operator /(Number left, Tensor right)
    {
        using var reciprocal = right.reciprocal();
        return reciprocal * left;
    }

    internal static Scalar One => s_one;

    /// <summary>To be disposed when the call that takes it has returned.</summary>
    internal Scalar New() => isWhole ? (Scalar)whole : (Scalar)real; // without the casts both would be a double
}
