using TorchSharp;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class ShapeTests
{
    private static Tensor Counted(params long[] shape) => arange(shape.Aggregate(1L, (a, b) => a * b), float64).reshape(shape);

    [Fact]
    public void Views_share_memory_and_copies_do_not()
    {
        var t = Counted(2, 3);
        t.view(3, 2)[0, 1] = 50;
        Assert.Equal(50, t[0, 1].ToDouble());
        t.clone()[0, 0] = 9;
        Assert.Equal(0, t[0, 0].ToDouble());
        Assert.False(t.t().is_contiguous());
        Assert.True(t.t().contiguous().is_contiguous());
        AssertClose([0, 3, 50, 4, 2, 5], t.t());
        Assert.Equal([1, 3], t.transpose(0, 1).stride());
    }

    [Fact]
    public void Shapes_follow_the_operation()
    {
        var t = Counted(2, 3, 4);
        Assert.Equal([4, 2, 3], t.permute(2, 0, 1).shape);
        Assert.Equal([2, 12], t.flatten(1).shape);
        Assert.Equal([2, 3, 2, 2], t.unflatten(2, 2, 2).shape);
        Assert.Equal([2, 1, 3, 4], t.unsqueeze(1).shape);
        Assert.Equal([2, 3, 4], t.unsqueeze(0).squeeze(0).shape);
        Assert.Equal([5, 2, 3, 4], t.expand(5, -1, -1, -1).shape);
        Assert.Equal([4, 3, 4], t.repeat(2, 1, 1).shape);
        Assert.Equal([2, 6, 4], t.repeat_interleave(2, dim: 1).shape);
        Assert.Equal([2, 6, 4], cat([t, t], 1).shape);
        Assert.Equal([2, 2, 3, 4], stack([t, t]).shape);
        Assert.Equal([[2, 3, 2], [2, 3, 2]], t.chunk(2, -1).Select(c => c.shape));
        Assert.Equal([[2, 1, 4], [2, 2, 4]], t.split([1, 2], 1).Select(c => c.shape));
        Assert.Equal(3, t.ndim);
        Assert.Equal(24, t.numel());
        Assert.Equal(4, t.size(-1));
    }

    [Fact]
    public void Index_expressions_read_as_in_Python()
    {
        var t = Counted(3, 4);
        AssertClose([4, 5, 6, 7], t[1]);
        AssertClose([11], t[-1, -1]);
        AssertClose([1, 5, 9], t[.., 1]);
        AssertClose([4, 5, 8, 9], t[1.., ..2]);
        AssertClose([0, 2, 8, 10], t[TensorIndex.Slice(step: 2), TensorIndex.Slice(0, null, 2)]);
        AssertClose([3, 7, 11], t[TensorIndex.Ellipsis, -1]);
        AssertClose([2, 3, 6, 7, 10, 11], t[.., TensorIndex.Slice(-2)]);
        Assert.Equal([1, 3, 4], t[TensorIndex.None].shape);
        AssertClose([8, 9, 10, 11, 0, 1, 2, 3], t[tensor(new long[] { 2, 0 })]);
        AssertClose([9, 10, 11], t[t > 8]);
        t[0, ..] = tensor(-1.0);
        AssertClose([-1, -1, -1, -1], t[0]);
        t.index_put_(7.0, TensorIndex.Single(1), TensorIndex.Slice(1, 3));
        AssertClose([4, 7, 7, 7], t[1]);
    }

    [Fact]
    public void Rows_are_picked_and_placed_by_number()
    {
        var t = Counted(3, 2);
        var rows = tensor(new long[] { 2, 0 });
        AssertClose([4, 5, 0, 1], t.index_select(0, rows));
        AssertClose([1, 2, 5], t.gather(1, tensor(new long[] { 1, 0, 1 }, [3, 1])));
        t.index_copy_(0, rows, tensor(new[] { 10.0, 11, 20, 21 }, [2, 2]));
        AssertClose([20, 21, 2, 3, 10, 11], t);
        t.index_add_(0, tensor(new long[] { 1, 1 }), ones(2, 2, float64), 3);
        AssertClose([20, 21, 8, 9, 10, 11], t);
        t.masked_fill_(t > 9.5, 0);
        AssertClose([0, 0, 8, 9, 0, 0], t);
        t.copy_(tensor(5.0));
        AssertClose([5, 5, 5, 5, 5, 5], t);
    }

    [Fact]
    public void Gradients_pass_through_views_and_joins()
    {
        AssertGradients(t => t[0].permute(1, 0).reshape(3, 2) * 2, Some([2, 3]));
        AssertGradients(t => cat([t[0], t[1].transpose(0, 1)], 1), Some([2, 3]), Some([2, 2], seed: 4));
        AssertGradients(t => stack([t[0], t[1]], -1), Some([2, 3]), Some([2, 3], seed: 4));
        AssertGradients(t => t[0].chunk(2, 1)[1], Some([2, 4]));
        AssertGradients(t => t[0][.., 1..].expand(2, 2, 2), Some([2, 3]));
        AssertGradients(t => t[0].index_select(0, tensor(new long[] { 1, 1, 0 })), Some([2, 3]));
        AssertGradients(t => t[0].gather(1, tensor(new long[] { 1, 0 }, [2, 1])), Some([2, 3]));
        AssertGradients(t => t[0].repeat_interleave(2, 0), Some([2, 3]));
        AssertGradients(t => t[0].masked_fill(tensor(new[] { true, false, false }), 0), Some([2, 3]));
    }
}
