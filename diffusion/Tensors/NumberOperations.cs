using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tensors;

/// <summary>
/// TorchSharp's operations that take or give a number, by their own names, with a <see cref="Number"/>: why is told there.
/// </summary>
public static class NumberOperations
{
    /// <summary>left + right. The operator + of two tensors hands libtorch a Scalar that it made itself and keeps no longer.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, Number.One);

    /// <summary>left += right.</summary>
    public static Tensor Plus_(this Tensor left, Tensor right) => left.add_(right, Number.One);

    /// <summary>left + factor · right.</summary>
    public static Tensor add(this Tensor left, Tensor right, Number factor)
    {
        using var number = factor.New();
        return left.add(right, number);
    }

    /// <summary>left += factor · right.</summary>
    public static Tensor add_(this Tensor left, Tensor right, Number factor)
    {
        using var number = factor.New();
        return left.add_(right, number);
    }

    public static Tensor add_(this Tensor left, Number right)
    {
        using var number = right.New();
        return left.add_(number, Number.One);
    }

    public static Tensor mul_(this Tensor left, Number right)
    {
        using var number = right.New();
        return left.mul_(number);
    }

    public static Tensor div_(this Tensor left, Number right)
    {
        using var number = right.New();
        return left.div_(number);
    }

    public static Tensor pow(this Tensor x, Number exponent)
    {
        using var number = exponent.New();
        return x.pow(number);
    }

    /// <summary>x · x, as square() computes it.</summary>
    public static Tensor Squared(this Tensor x) => x.pow(Number.Num(2));

    /// <summary>x += factor · a · b.</summary>
    public static Tensor addcmul_(this Tensor x, Tensor a, Tensor b, Number factor)
    {
        using var number = factor.New();
        return x.addcmul_(a, b, number);
    }

    /// <summary>x += factor · a / b.</summary>
    public static Tensor addcdiv_(this Tensor x, Tensor a, Tensor b, Number factor)
    {
        using var number = factor.New();
        return x.addcdiv_(a, b, number);
    }

    public static Tensor clamp(this Tensor x, Number min, Number max)
    {
        using Scalar least = min.New(), most = max.New();
        return x.clamp(least, most);
    }

    public static Tensor clamp_max(this Tensor x, Number max)
    {
        using var most = max.New();
        return x.clamp_max(most);
    }

    public static Tensor clamp_max_(this Tensor x, Number max)
    {
        using var most = max.New();
        return x.clamp_(max: most);
    }

    public static Tensor clamp_min_(this Tensor x, Number min)
    {
        using var least = min.New();
        return x.clamp_(min: least);
    }

    public static Tensor fill_(this Tensor x, Number value)
    {
        using var number = value.New();
        return x.fill_(number);
    }

    public static Tensor eq(this Tensor left, Number right)
    {
        using var number = right.New();
        return left.eq(number);
    }

    public static Tensor ge(this Tensor left, Number right)
    {
        using var number = right.New();
        return left.ge(number);
    }

    /// <summary>A tensor like <paramref name="x"/>, this number everywhere.</summary>
    public static Tensor Everywhere(this Number value, Tensor x)
    {
        using var number = value.New();
        return full_like(x, number);
    }

    /// <summary>A tensor without dimensions that holds this number.</summary>
    public static Tensor AsTensor(this Number value, ScalarType type, Device? device = null)
    {
        using var number = value.New();
        return full([], number, type, device);
    }

    /// <summary>The one value of a tensor; waits for the device.</summary>
    public static double AsDouble(this Tensor x)
    {
        using var number = x.ToScalar();
        return number.ToDouble();
    }

    /// <inheritdoc cref="AsDouble"/>
    public static float AsSingle(this Tensor x)
    {
        using var number = x.ToScalar();
        return number.ToSingle();
    }

    /// <inheritdoc cref="AsDouble"/>
    public static bool AsBoolean(this Tensor x)
    {
        using var number = x.ToScalar();
        return number.ToBoolean();
    }
}
