using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Tensors;

public sealed class NumberTests
{
    public static TheoryData<ScalarType, string> Operations
    {
        get
        {
            var all = new TheoryData<ScalarType, string>();
            foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Int64 })
            {
                foreach (var (name, _, _) in Pairs(type))
                    all.Add(type, name);
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_number_gives_the_bits_and_the_type_that_the_raw_form_gives(ScalarType type, string operation)
    {
        using var scope = NewDisposeScope();
        var x = tensor(new double[] { 1, 2, 3, 4, 5, 6, 7, 11, 13 }).to_type(type);
        var (_, ours, raw) = Pairs(type).Single(p => p.Name == operation);
        var (expected, found) = (raw(x), ours(x));

        Assert.Equal(expected.dtype, found.dtype);
        Assert.Equal(expected.shape, found.shape);
        Assert.Equal(expected.contiguous().bytes.ToArray(), found.contiguous().bytes.ToArray());
    }

    [Fact]
    public void Gradients_are_those_of_the_raw_forms()
    {
        foreach (var (name, ours, raw) in RawNumbers.Pairs.Take(11).Concat(RawNumbers.FloatingPairs)) // those with a gradient
        {
            using var scope = NewDisposeScope();
            var gradients = new[] { ours, raw }.Select(f =>
            {
                var x = tensor(new[] { 1f, 2, 3, 11 }).requires_grad_();
                BackwardPass.Run(f(x).sum());
                return x.grad!.data<float>().ToArray();
            }).ToList();
            Assert.Equal((name, string.Join(", ", gradients[1])), (name, string.Join(", ", gradients[0])));
        }
    }

    /// <summary>
    /// The raw forms fail here within a second or two: "Unknown scalar type", "Expected false to be true", or a sum that is not the one
    /// expected.
    /// </summary>
    [Fact]
    public void Numbers_live_while_libtorch_reads_them_though_another_thread_collects_all_the_time()
    {
        using var collecting = new ConstantCollection();
        using var scope = NewDisposeScope();
        var x = ones(64);
        for (var round = 0; round < 20_000; round++)
        {
            using var step = NewDisposeScope();
            var y = (x * Num(0.5) + Num(1.5)).Plus(x / Num(2) - Num(0.5)).Plus(Num(1) - x);          // 2 + 0 + 0
            y.add_(x, Num(0.25)).add_(Num(0.75)).mul_(Num(2)).addcmul_(x, x, Num(-1)).clamp_max_(Num(4)); // min((2 + 0.25 + 0.75) 2 - 1, 4)
            Assert.Equal(64 * 4.0, y.Squared().sqrt().sum().AsDouble());
        }
        Assert.True(collecting.Count > 100, $"only {collecting.Count} collections");
    }

    private static IEnumerable<(string Name, Func<Tensor, Tensor> Ours, Func<Tensor, Tensor> Raw)> Pairs(ScalarType type) =>
        type == ScalarType.Int64 ? RawNumbers.Pairs : RawNumbers.Pairs.Concat(RawNumbers.FloatingPairs);
}
