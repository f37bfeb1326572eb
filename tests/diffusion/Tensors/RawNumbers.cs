using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Tensors;

/// <summary>
/// Arithmetic as TorchSharp has it, whose numbers may be freed while libtorch reads them: what <see cref="Number"/> has to equal, and what
/// the scan has to find. The one place where it may stand.
/// </summary>
internal static class RawNumbers
{
    /// <summary>Each operation of Number beside the raw form, for every type that has it.</summary>
    public static readonly (string Name, Func<Tensor, Tensor> Ours, Func<Tensor, Tensor> Raw)[] Pairs =
    [
        ("x + 0.3", x => x + Num(0.3), x => x + 0.3),
        ("0.3 + x", x => Num(0.3) + x, x => 0.3 + x),
        ("x - 0.3", x => x - Num(0.3), x => x - 0.3),
        ("1 - x", x => Num(1) - x, x => 1 - x),
        ("x * 0.3", x => x * Num(0.3), x => x * 0.3),
        ("3 * x", x => Num(3) * x, x => 3 * x),
        ("x * 0.3f", x => x * Num(0.3f), x => x * 0.3f),
        ("x / 7", x => x / Num(7), x => x / 7),
        ("0.3 / x", x => Num(0.3) / x, x => 0.3 / x),
        ("x + x", x => x.Plus(x), x => x + x),
        ("x += x", x => x.clone().Plus_(x), x => x.clone().add_(x)),
        ("x + 3 x", x => x.add(x, Num(3)), x => x.add(x, 3)),
        ("x += 3 x", x => x.clone().add_(x, Num(3)), x => x.clone().add_(x, 3)),
        ("x += 3", x => x.clone().add_(Num(3)), x => x.clone().add_(3)),
        ("x *= 3", x => x.clone().mul_(Num(3)), x => x.clone().mul_(3)),
        ("x²", x => x.Squared(), x => x.square()),
        ("x³", x => x.pow(Num(3)), x => x.pow(3)),
        ("x += 2 x x", x => x.clone().addcmul_(x, x, Num(2)), x => x.clone().addcmul_(x, x, 2)),
        ("2 to 5", x => x.clamp(Num(2), Num(5)), x => x.clamp(2, 5)),
        ("at most 5", x => x.clamp_max(Num(5)), x => x.clamp_max(5)),
        ("at most 5, in place", x => x.clone().clamp_max_(Num(5)), x => x.clone().clamp_(max: 5)),
        ("at least 2, in place", x => x.clone().clamp_min_(Num(2)), x => x.clone().clamp_(min: 2)),
        ("= 4", x => x.clone().fill_(Num(4)), x => x.clone().fill_(4)),
        ("is 4", x => x.eq(Num(4)), x => x.eq(4)),
        ("is at least 4", x => x.ge(Num(4)), x => x.ge(4)),
        ("4 everywhere", x => Num(4).Everywhere(x), x => full_like(x, 4)),
        ("4 as tensor", x => Num(4).AsTensor(x.dtype), x => full([], 4, x.dtype)),
        ("0 to 8", x => Num(9).Range(x.dtype), x => arange(9, x.dtype)),
        ("last as double", x => tensor(x[^1].AsDouble()), x => tensor(x[^1].ToDouble())),
        ("last as float", x => tensor(x[^1].AsSingle()), x => tensor(x[^1].ToSingle())),
        ("last as truth", x => tensor(x[^1].AsBoolean()), x => tensor(x[^1].ToBoolean())),
    ];

    /// <summary>Those that only floating point has.</summary>
    public static readonly (string Name, Func<Tensor, Tensor> Ours, Func<Tensor, Tensor> Raw)[] FloatingPairs =
    [
        ("x /= 7", x => x.clone().div_(Num(7)), x => x.clone().div_(7)),
        ("x^0.1", x => x.pow(Num(0.1)), x => x.pow(0.1)),
        ("x += 0.3 x / x", x => x.clone().addcdiv_(x, x, Num(0.3)), x => x.clone().addcdiv_(x, x, 0.3)),
    ];
}
