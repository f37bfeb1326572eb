using TorchSharp;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class ReductionTests
{
    private static Tensor Small => tensor(new[] { 1.0, 2, 4, 8, 16, 33 }, [2, 3]);

    [Fact]
    public void Sums_means_and_extremes_run_over_the_named_dimensions()
    {
        AssertClose([64], Small.sum());
        AssertClose([9, 18, 37], Small.sum([0]));
        AssertClose([7, 57], Small.sum([1]));
        Assert.Equal([2, 1], Small.sum(1, keepdim: true).shape);
        AssertClose([7.0 / 3, 19], Small.mean([1]));
        AssertClose([4, 33], Small.amax([1]));
        AssertClose([1, 2, 4], Small.amin([0]));
        var (values, indexes) = Small.max(1);
        AssertClose([4, 33], values);
        AssertClose([2, 2], indexes);
        AssertClose([5], Small.argmax());
        AssertClose([0, 0, 0], Small.argmin(0));
        AssertClose([1, 3, 7, 8, 24, 57], Small.cumsum(1));
        Assert.Equal(ScalarType.Float32, Small.sum(type: ScalarType.Float32).dtype);
    }

    [Fact]
    public void A_bare_0_given_to_sum_is_the_element_type_Byte_not_a_dimension()
    {
        // C# converts the literal 0 to any enumeration, and that overload needs no default argument. Write sum([0]) or sum(0, keepdim: false).
        Assert.Equal(ScalarType.Byte, Small.sum(0).dtype);
        AssertClose([9, 18, 37], Small.sum(0, keepdim: false));
    }

    [Fact]
    public void Spread_is_divided_by_n_minus_1_unless_told_otherwise()
    {
        var t = tensor(new[] { 2.0, 4, 4, 4, 5, 5, 7, 9 });
        AssertClose([4.0 * 8 / 7], t.var());
        AssertClose([4.0 * 8 / 7], t.var(unbiased: false)); // An oddity of the real package: without dimensions the argument is not passed on.
        AssertClose([4], t.var([0], unbiased: false));
        AssertClose([2], t.std(unbiased: false));
        AssertClose([2], t.std(0, unbiased: false));
        Assert.Equal([1], t.std([0], unbiased: false, keepdim: true).shape);
    }

    [Fact]
    public void Norms_count_every_element()
    {
        var t = tensor(new[] { 3.0, 4, 0, 12 }, [2, 2]);
        AssertClose([13], t.norm());
        AssertClose([5, 12], t.norm(1));
        AssertClose([7, 12], linalg.vector_norm(t, 1, [1]));
        AssertClose([13], linalg.norm(t));
    }

    [Fact]
    public void Gradients_of_reductions_agree_with_differences()
    {
        AssertGradients(t => t[0].sum(1), Some([2, 3]));
        AssertGradients(t => t[0].mean([0, 2], keepdim: true), Some([2, 3, 2]));
        AssertGradients(t => t[0].std([1], unbiased: false), Some([2, 4]));
        AssertGradients(t => t[0].var(1), Some([2, 4]));
        AssertGradients(t => t[0].norm(1), Some([2, 3]));
        AssertGradients(t => t[0].amax([1]), Some([2, 3]));
        AssertGradients(t => t[0].softmax(-1), Some([2, 3]));
        AssertGradients(t => t[0].logsumexp(1), Some([2, 3]));
        AssertGradients(t => t[0].cumsum(0), Some([3, 2]));
    }

    [Fact]
    public void Softmax_divides_exponentials_by_their_sum()
    {
        double[] exponentials = [Math.Exp(1), Math.Exp(2), Math.Exp(3)];
        AssertClose(exponentials.Select(e => e / exponentials.Sum()).ToArray(), nn.functional.softmax(tensor(new[] { 1.0, 2, 3 }), 0), 1e-12);
        Assert.Equal(ScalarType.Float64, torch.softmax(tensor(new[] { 1f, 2, 3 }), 0, ScalarType.Float64).dtype);
    }

    [Fact]
    public void Products_of_matrices_agree_with_hand_made_numbers_and_differences()
    {
        var a = tensor(new[] { 1.0, 2, 3, 4 }, [2, 2]);
        var b = tensor(new[] { 5.0, 6, 7, 8 }, [2, 2]);
        AssertClose([19, 22, 43, 50], a.matmul(b));
        AssertClose([19, 22, 43, 50], mm(a, b));
        AssertClose([20, 23, 44, 51], ones(2, 2, float64).addmm(a, b));
        AssertClose([70], dot(tensor(new[] { 1.0, 2, 3, 4 }), tensor(new[] { 5.0, 6, 7, 8 })));
        AssertClose([19, 22, 43, 50], einsum("ij,jk->ik", a, b));
        AssertGradients(t => t[0].matmul(t[1]), Some([2, 3, 4]), Some([4, 2], seed: 5));
        AssertGradients(t => bmm(t[0], t[1]), Some([2, 2, 3]), Some([2, 3, 2], seed: 5));
        // The real package exchanges the roles: the receiver is the first factor, the last argument the summand.
        Tensor first = Some([2, 2, 3]), second = Some([2, 3, 2], seed: 5), summand = Some([2, 2, 2], seed: 6);
        AssertClose(Values(summand * 0.5 + bmm(first, second) * 2), first.baddbmm(second, summand, 0.5f, 2));
    }
}
