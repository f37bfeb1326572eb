using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

/// <summary>Comparisons with values that were not computed by libtorch.</summary>
internal static class Numbers
{
    public static double[] Values(Tensor t) => t.to(ScalarType.Float64).data<double>().ToArray();

    public static void AssertClose(IReadOnlyList<double> expected, Tensor actual, double tolerance = 1e-5)
    {
        var values = Values(actual);
        Assert.Equal(expected.Count, values.Length);
        for (var i = 0; i < values.Length; i++)
            Assert.True(Math.Abs(expected[i] - values[i]) <= tolerance * (1 + Math.Abs(expected[i])), $"[{i}]: expected {expected[i]:R}, found {values[i]:R}");
    }

    /// <summary>Doubles spread over -range..range, the same at every run, none of them near a kink at 0.</summary>
    public static Tensor Some(long[] shape, int seed = 1, double low = -2, double high = 2)
    {
        var random = new Random(seed);
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
        {
            do
                values[i] = low + (high - low) * random.NextDouble();
            while (Math.Abs(values[i]) < 0.05);
        }
        return tensor(values, shape);
    }

    /// <summary>Compares the gradients that autograd finds for sum(weights * f(inputs)) with central differences.</summary>
    public static void AssertGradients(Func<Tensor[], Tensor> f, params Tensor[] inputs)
    {
        const double step = 1e-5;
        using var scope = NewDisposeScope();
        Tensor weights = Some(f(inputs).shape, seed: 99);
        double Loss()
        {
            using var inner = NewDisposeScope();
            using var quiet = no_grad();
            return (f(inputs) * weights).sum().ToDouble();
        }

        foreach (var input in inputs)
            input.requires_grad = true;
        (f(inputs) * weights).sum().backward();
        for (var k = 0; k < inputs.Length; k++)
        {
            var gradient = inputs[k].grad;
            Assert.NotNull(gradient);
            Assert.Equal(inputs[k].shape, gradient.shape);
            var found = Values(gradient.contiguous());
            var memory = inputs[k].detach().view(-1).data<double>();
            for (var i = 0; i < found.Length; i++)
            {
                var value = memory[i];
                memory[i] = value + step;
                var above = Loss();
                memory[i] = value - step;
                var below = Loss();
                memory[i] = value;
                var expected = (above - below) / (2 * step);
                Assert.True(Math.Abs(expected - found[i]) <= 1e-5 * (1 + Math.Abs(expected)), $"input {k} [{i}]: expected {expected:R}, found {found[i]:R}");
            }
            inputs[k].grad = null;
        }
    }
}
