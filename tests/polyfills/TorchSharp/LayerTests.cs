using TorchSharp;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class LayerTests
{
    [Fact]
    public void Linear_multiplies_by_the_transposed_weight_and_adds_the_bias()
    {
        using var layer = nn.Linear(2, 3);
        using (no_grad())
        {
            layer.weight.copy_(tensor(new[] { 1f, 2, 3, 4, 5, 6 }, [3, 2]));
            layer.bias!.copy_(tensor(new[] { 0.5f, 0, -1 }));
        }
        AssertClose([5.5, 11, 16], layer.call(tensor(new[] { 1f, 2 })));
        AssertGradients(t => F.linear(t[0], t[1], t[2]), Some([2, 3]), Some([4, 3], seed: 2), Some([4], seed: 3));
    }

    [Fact]
    public void Convolution_agrees_with_the_sum_over_the_window()
    {
        Tensor x = Some([2, 4, 5, 6]), w = Some([6, 2, 3, 3], seed: 2), b = Some([6], seed: 3);
        var y = F.conv2d(x, w, b, strides: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2);
        Assert.Equal([2, 6, 3, 6], y.shape);
        for (var o = 0; o < 6; o++)
        {
            for (var row = 0; row < 3; row++)
            {
                for (var column = 0; column < 6; column++)
                {
                    var expected = b[o].ToDouble();
                    for (var c = 0; c < 2; c++)
                    {
                        for (var i = 0; i < 3; i++)
                        {
                            for (var j = 0; j < 3; j++)
                            {
                                int r = row * 2 - 1 + i, s = column - 2 + 2 * j;
                                if (r >= 0 && r < 5 && s >= 0 && s < 6)
                                    expected += x[1, o / 3 * 2 + c, r, s].ToDouble() * w[o, c, i, j].ToDouble();
                            }
                        }
                    }
                    Assert.Equal(expected, y[1, o, row, column].ToDouble(), 1e-10);
                }
            }
        }
        AssertGradients(t => F.conv2d(t[0], t[1], t[2], [1, 1], [1, 1]), Some([1, 2, 3, 3]), Some([2, 2, 3, 3], seed: 2), Some([2], seed: 3));
    }

    [Fact]
    public void Convolution_layer_takes_single_precision_and_pads_as_told()
    {
        using var layer = nn.Conv2d(1, 1, kernel_size: 3, padding: 1, stride: 2, bias: false);
        using (no_grad())
            layer.weight.fill_(1);
        AssertClose([0 + 1 + 4 + 5, 1 + 2 + 3 + 5 + 6 + 7, 4 + 5 + 8 + 9 + 12 + 13, 5 + 6 + 7 + 9 + 10 + 11 + 13 + 14 + 15], layer.call(arange(16, float32).reshape(1, 1, 4, 4)));
        Assert.Throws<ArgumentException>(() => layer.call(zeros(1, 2, 4, 4)));
        using var same = nn.Conv2d(1, 1, 3, Padding.Same, bias: false);
        Assert.Equal([1, 1, 4, 4], same.call(zeros(1, 1, 4, 4)).shape);
        using var circular = nn.Conv2d(1, 1, 3, padding: 1, padding_mode: PaddingModes.Circular, bias: false);
        using (no_grad())
            circular.weight.fill_(1);
        AssertClose(Enumerable.Repeat(9.0, 16).ToArray(), circular.call(ones(1, 1, 4, 4)));
    }

    [Fact]
    public void Group_norm_normalizes_each_group_of_each_sample()
    {
        var x = Some([2, 4, 3]);
        Tensor w = Some([4], seed: 2), b = Some([4], seed: 3);
        var y = F.group_norm(x, 2, w, b, eps: 1e-3);
        double[] values = Values(x), scale = Values(w), shift = Values(b);
        for (var sample = 0; sample < 2; sample++)
        {
            for (var channel = 0; channel < 4; channel++)
            {
                var group = values.Skip(sample * 12 + channel / 2 * 6).Take(6).ToArray();
                double mean = group.Average(), variance = group.Average(v => (v - mean) * (v - mean));
                for (var i = 0; i < 3; i++)
                {
                    var expected = (values[sample * 12 + channel * 3 + i] - mean) / Math.Sqrt(variance + 1e-3) * scale[channel] + shift[channel];
                    Assert.Equal(expected, y[sample, channel, i].ToDouble(), 1e-10);
                }
            }
        }
        AssertGradients(t => F.group_norm(t[0], 2, t[1], t[2]), Some([2, 4, 2]), Some([4], seed: 2), Some([4], seed: 3));
    }

    [Fact]
    public void Layer_norm_normalizes_the_last_dimensions()
    {
        AssertClose([-Math.Sqrt(1.5), 0, Math.Sqrt(1.5)], F.layer_norm(tensor(new[] { 1.0, 2, 3 }), [3], eps: 0), 1e-12);
        using var layer = nn.LayerNorm(3);
        AssertClose([1, 1, 1], layer.weight);
        AssertClose([0, 0, 0], layer.bias!);
        AssertGradients(t => F.layer_norm(t[0], [3], t[1], t[2]), Some([2, 3]), Some([3], seed: 2), Some([3], seed: 3));
    }

    [Fact]
    public void Embedding_picks_rows_and_collects_their_gradients()
    {
        using var layer = nn.Embedding(5, 2, padding_idx: 4);
        AssertClose([0, 0], layer.weight![4]);
        using (no_grad())
            layer.weight.copy_(arange(10, float32).reshape(5, 2));
        var y = layer.call(tensor(new long[] { 3, 1, 3 }));
        AssertClose([6, 7, 2, 3, 6, 7], y);
        y.sum().backward();
        AssertClose([0, 0, 1, 1, 0, 0, 2, 2, 0, 0], layer.weight.grad!);
        Assert.Equal(["weight"], layer.state_dict().Keys);
    }

    [Fact]
    public void Attention_weighs_values_by_softmax_of_scaled_products()
    {
        Tensor q = Some([1, 2, 3, 4]), k = Some([1, 2, 5, 4], seed: 2), v = Some([1, 2, 5, 4], seed: 3);
        Tensor Reference(Tensor? additive) => (q.matmul(k.transpose(-2, -1)) / 2 + (additive ?? 0.0)).softmax(-1).matmul(v);
        AssertClose(Values(Reference(null)), F.scaled_dot_product_attention(q, k, v), 1e-10);

        var allowed = tensor(new[] { true, true, false, true, false, true, false, true, true, true, true, true, true, true, false }, [3, 5]);
        var additive = zeros(3, 5, float64).masked_fill(allowed.logical_not(), double.NegativeInfinity);
        AssertClose(Values(Reference(additive)), F.scaled_dot_product_attention(q, k, v, additive), 1e-10);
        AssertClose(Values(Reference(additive)), F.scaled_dot_product_attention(q, k, v, allowed), 1e-10);

        var square = Some([1, 2, 3, 4], seed: 4);
        var future = ones(3, 3, @bool).tril().logical_not();
        var expected = (q.matmul(square.transpose(-2, -1)) / 2).masked_fill(future, double.NegativeInfinity).softmax(-1).matmul(square);
        AssertClose(Values(expected), F.scaled_dot_product_attention(q, square, square, is_casual: true), 1e-10);
        AssertGradients(t => F.scaled_dot_product_attention(t[0], t[1], t[2]), Some([1, 1, 2, 3]), Some([1, 1, 3, 3], seed: 2), Some([1, 1, 3, 3], seed: 3));
        Assert.Throws<ArgumentException>(() => F.scaled_dot_product_attention(q, k, v, p: -1));
    }

    [Fact]
    public void Losses_are_means_unless_told_otherwise()
    {
        Tensor a = tensor(new[] { 1.0, 2, 5 }), b = tensor(new[] { 0.0, 4, 5.5 });
        AssertClose([(1 + 4 + 0.25) / 3], F.mse_loss(a, b));
        AssertClose([1, 4, 0.25], F.mse_loss(a, b, nn.Reduction.None));
        AssertClose([5.25], F.mse_loss(a, b, nn.Reduction.Sum));
        AssertClose([3.5 / 3], F.l1_loss(a, b));
        AssertClose([0.5, 1.5, 0.125], F.smooth_l1_loss(a, b, nn.Reduction.None));
        AssertClose([0.5, 1.5, 0.125], F.huber_loss(a, b, 1.0, nn.Reduction.None));
        AssertGradients(t => F.mse_loss(t[0], t[1]), Some([2, 3]), Some([2, 3], seed: 2));
    }

    [Fact]
    public void Padding_surrounds_the_last_dimensions()
    {
        var x = tensor(new[] { 1.0, 2, 3 }, [1, 1, 3]);
        AssertClose([0, 1, 2, 3, 0, 0], F.pad(x, (1, 2)));
        AssertClose([9, 1, 2, 3], F.pad(x, [1, 0], value: 9));
        AssertClose([3, 2, 1, 2, 3, 2], F.pad(x, (2, 1), PaddingModes.Reflect));
        AssertClose([1, 1, 2, 3, 3], F.pad(x, (1, 1), PaddingModes.Replicate));
        AssertClose([3, 1, 2, 3, 1], F.pad(x, (1, 1), PaddingModes.Circular));
        AssertGradients(t => F.pad(t[0], (0, 1, 0, 1)), Some([1, 1, 2, 2]));
    }

    [Fact]
    public void Resizing_agrees_with_the_definition_of_its_mode()
    {
        var x = tensor(new[] { 1.0, 2, 3, 4 }, [1, 1, 2, 2]);
        AssertClose([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4], F.interpolate(x, scale_factor: [2, 2]));
        AssertClose([1, 1.25, 1.75, 2], F.interpolate(x, size: [4, 4], mode: InterpolationMode.Bilinear, align_corners: false)[0, 0, 0]);
        AssertClose([1, 4.0 / 3, 5.0 / 3, 2], F.interpolate(x, size: [4, 4], mode: InterpolationMode.Bilinear, align_corners: true)[0, 0, 0]);
        AssertClose([2.5], F.interpolate(x, size: [1, 1], mode: InterpolationMode.Area));
        AssertClose([2.5], F.avg_pool2d(x, 2));
        var bicubic = F.interpolate(arange(16, float64).reshape(1, 1, 4, 4), scale_factor: [2, 2], mode: InterpolationMode.Bicubic);
        // Rows and columns 3 of the result lie at 1.25 in the source, whose values are 4 row + column.
        Assert.Equal(5 * Enumerable.Range(0, 4).Sum(i => i * Keys(Math.Abs(1.25 - i))), bicubic[0, 0, 3, 3].ToDouble(), 1e-12);
        Assert.Equal([1, 1, 2, 2], F.interpolate(zeros(1, 1, 8, 8), size: [2, 2], mode: InterpolationMode.Bilinear, antialias: true).shape);
        AssertGradients(t => F.interpolate(t[0], scale_factor: [2, 2]), Some([1, 1, 2, 2]));
        AssertGradients(t => F.interpolate(t[0], size: [3, 3], mode: InterpolationMode.Bilinear), Some([1, 1, 2, 2]));
        AssertGradients(t => F.interpolate(t[0], size: [3, 3], mode: InterpolationMode.Bicubic), Some([1, 1, 4, 4]));
        AssertGradients(t => F.interpolate(t[0], size: [2, 2], mode: InterpolationMode.Area), Some([1, 1, 4, 4]));
    }

    /// <summary>Keys' cubic kernel with a = -0.75.</summary>
    private static double Keys(double d) => d <= 1 ? (1.25 * d - 2.25) * d * d + 1 : ((-0.75 * d + 3.75) * d - 6) * d + 3;

    [Fact]
    public void Dropout_works_in_training_only_and_keeps_the_mean()
    {
        var layer = nn.Dropout(0.25);
        var x = ones(10000);
        manual_seed(1);
        var dropped = layer.call(x);
        Assert.InRange(dropped.mean().ToDouble(), 0.95, 1.05);
        Assert.Equal([0f, 1 / 0.75f], dropped.data<float>().Distinct().Order());
        layer.eval();
        Assert.True(layer.call(x).Equals(x));
    }

    [Fact]
    public void One_hot_and_normalize_agree_with_hand_made_numbers()
    {
        AssertClose([0, 1, 0, 1, 0, 0], F.one_hot(tensor(new long[] { 1, 0 }), 3));
        Assert.Throws<ArgumentException>(() => F.one_hot(tensor(new[] { 1f })));
        AssertClose([0.6, 0.8], F.normalize(tensor(new[] { 3.0, 4 }, [1, 2])));
        AssertGradients(t => F.normalize(t[0]), Some([2, 3]));
    }
}
