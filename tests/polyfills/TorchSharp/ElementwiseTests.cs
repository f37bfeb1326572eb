using TorchSharp;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class ElementwiseTests
{
    /// <summary>erf by its Maclaurin series: exact to double precision for |x| below 3.</summary>
    private static double Erf(double x)
    {
        double sum = 0, term = x;
        for (var n = 0; n < 80; n++)
        {
            sum += term / (2 * n + 1);
            term *= -x * x / (n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static readonly Dictionary<string, (Func<Tensor, Tensor> ours, Func<double, double> reference, bool positive)> Functions = new()
    {
        ["abs"] = (t => t.abs(), Math.Abs, false),
        ["neg"] = (t => -t, x => -x, false),
        ["exp"] = (t => t.exp(), Math.Exp, false),
        ["log"] = (t => t.log(), Math.Log, true),
        ["sqrt"] = (t => t.sqrt(), Math.Sqrt, true),
        ["rsqrt"] = (t => t.rsqrt(), x => 1 / Math.Sqrt(x), true),
        ["reciprocal"] = (t => t.reciprocal(), x => 1 / x, true),
        ["sin"] = (t => t.sin(), Math.Sin, false),
        ["cos"] = (t => t.cos(), Math.Cos, false),
        ["tanh"] = (t => t.tanh(), Math.Tanh, false),
        ["sigmoid"] = (t => t.sigmoid(), Sigmoid, false),
        ["erf"] = (t => t.erf(), Erf, false),
        ["square"] = (t => t.square(), x => x * x, false),
        ["pow 3"] = (t => t.pow(3), x => x * x * x, false),
        ["silu"] = (t => nn.functional.silu(t), x => x * Sigmoid(x), false),
        ["gelu"] = (t => nn.functional.gelu(t), x => x * 0.5 * (1 + Erf(x / Math.Sqrt(2))), false),
        ["gelu tanh"] = (t => nn.functional.gelu(t, global::TorchSharp.Modules.GELU.Approximate.tanh),
            x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), false),
        ["relu"] = (t => nn.functional.relu(t), x => Math.Max(x, 0), false),
        ["clamp"] = (t => t.clamp(-0.5, 1.25), x => Math.Clamp(x, -0.5, 1.25), false),
        ["clamp_min"] = (t => t.clamp(min: 0.3), x => Math.Max(x, 0.3), false),
        ["2 - x"] = (t => 2 - t, x => 2 - x, false),
        ["3 / x"] = (t => 3.0 / t, x => 3 / x, true),
        ["x % 0.7"] = (t => t % 0.7, x => x - 0.7 * Math.Floor(x / 0.7), false),
        ["log1p"] = (t => t.log1p(), x => Math.Log(1 + x), true),
    };

    public static TheoryData<string> Names => new(Functions.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Function_and_gradient_agree_with_the_definition(string name)
    {
        var (ours, reference, positive) = Functions[name];
        var x = Some([3, 4], low: positive ? 0.1 : -2);
        AssertClose(Values(x).Select(reference).ToArray(), ours(x), 1e-12);
        AssertGradients(inputs => ours(inputs[0]), x);
    }

    private static readonly Dictionary<string, (Func<Tensor, Tensor, Tensor> ours, Func<double, double, double> reference)> Pairs = new()
    {
        ["+"] = ((a, b) => a + b, (a, b) => a + b),
        ["-"] = ((a, b) => a - b, (a, b) => a - b),
        ["*"] = ((a, b) => a * b, (a, b) => a * b),
        ["/"] = ((a, b) => a / b, (a, b) => a / b),
        ["add alpha"] = ((a, b) => a.add(b, 0.5), (a, b) => a + 0.5 * b),
        ["minimum"] = (minimum, Math.Min),
        ["maximum"] = (maximum, Math.Max),
        ["atan2"] = (atan2, Math.Atan2),
        ["lerp"] = ((a, b) => a.lerp(b, tensor(0.25)), (a, b) => a + 0.25 * (b - a)),
        ["addcmul"] = ((a, b) => a.addcmul(b, a, 2), (a, b) => a + 2 * b * a),
        ["addcdiv"] = ((a, b) => a.addcdiv(a, b, -1), (a, b) => a - a / b),
        ["where"] = ((a, b) => where(a > b, a, b * 3), (a, b) => a > b ? a : b * 3),
    };

    public static TheoryData<string> PairNames => new(Pairs.Keys);

    [Theory]
    [MemberData(nameof(PairNames))]
    public void Pair_and_gradients_agree_with_the_definition(string name)
    {
        var (ours, reference) = Pairs[name];
        Tensor a = Some([2, 3], seed: 3), b = Some([2, 3], seed: 4);
        AssertClose(Values(a).Zip(Values(b), reference).ToArray(), ours(a, b), 1e-12);
        AssertGradients(inputs => ours(inputs[0], inputs[1]), a, b);
    }

    [Fact]
    public void Broadcasting_spreads_forward_and_sums_backward() =>
        AssertGradients(t => t[0] * t[1] + t[2], Some([2, 3, 2]), Some([3, 1], seed: 2), Some([1], seed: 3));

    [Fact]
    public void Operations_in_place_change_their_tensor_and_return_it()
    {
        var t = tensor(new[] { 1.0, 4.0, 9.0 });
        Assert.Same(t, t.sqrt_());
        AssertClose([1, 2, 3], t);
        AssertClose([4, 8, 12], t.mul_(4));
        AssertClose([3, 7, 11], t.sub_(1));
        AssertClose([1.5, 3.5, 5.5], t.div_(2));
        AssertClose([2.5, 5.5, 8.5], t.add_(tensor(new[] { 0.5, 1, 1.5 }), 2));
        AssertClose([3.5, 6.5, 9.5], t.addcmul_(ones_like(t), ones_like(t), 1));
        AssertClose([3, 6, 9], t.addcdiv_(ones_like(t), full_like(t, 2.0), -1));
        AssertClose([4, 6, 8], t.clamp_(4, 8));
        AssertClose([2, 3, 4], t.lerp_(zeros_like(t), full_like(t, 0.5)));
        AssertClose([0, 0, 0], t.zero_());
    }

    [Fact]
    public void Comparisons_give_booleans_and_Equals_compares_everything()
    {
        var t = tensor(new[] { 1f, 2, 3 });
        Assert.Equal([false, true, true], (t >= 2).data<bool>().ToArray());
        Assert.Equal([true, false, false], (t == 1).data<bool>().ToArray());
        Assert.Equal([false, false, true], (2 < t).data<bool>().ToArray());
        Assert.True(t.Equals(tensor(new[] { 1f, 2, 3 })));
        Assert.False(t.Equals(tensor(new[] { 1f, 2, 4 })));
        Assert.True(allclose(t, t + 1e-9));
        Assert.Equal([true, false, false], (tensor(new[] { 1f, float.NaN, float.PositiveInfinity })).isfinite().data<bool>().ToArray());
        Assert.Equal([0, 2, 2, 4], Values(tensor(new[] { 0.5, 1.5, 2.5, 3.5 }).round()));
    }
}
