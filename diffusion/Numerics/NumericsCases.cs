using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Tensors;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Numerics;

/// <summary>What the nets are made of, beside the same from elementary operations.</summary>
public static class NumericsCases
{
    private const double Epsilon = 1e-5;

    /// <summary>Convolutions: shapes that surely show the fault of <see cref="Convolution"/>, and SDXL's kinds.</summary>
    public static IReadOnlyList<NumericsCase> Convolutions(ConvolutionPath path) =>
    [
        Convolution3(path, 24, 24, 1),
        Convolution3(path, 48, 40, 2),
        Convolution3(path, 32, 4, 1),
        Convolution3(path, 4, 32, 1),
        Convolution3(path, 32, 32, 2),
    ];

    /// <summary>All but convolutions.</summary>
    public static IReadOnlyList<NumericsCase> Others { get; } =
    [
        new(
            "a linear layer of 40 to 72",
            [
                [33, 40],
                [72, 40],
                [72],
            ],
            x => F.linear(x[0], x[1], x[2]),
            x => x[0].matmul(x[1].t()).Plus(x[2])
        ),
        new(
            "a product-and-add of 20 x 8 and 8 x 24",
            [
                [20, 24],
                [20, 8],
                [8, 24],
            ],
            x => x[0].addmm(x[1], x[2], 1, 1),
            x => x[0].Plus(x[1].matmul(x[2]))
        ),
        new(
            "a batched product of 20 x 24 and 24 x 40",
            [
                [3, 20, 24],
                [3, 24, 40],
            ],
            x => x[0].matmul(x[1]),
            x => x[0].matmul(x[1])
        ),
        new(
            "attention of 20 queries to 13 keys",
            [
                [2, 2, 20, 16],
                [2, 2, 13, 16],
                [2, 2, 13, 16],
            ],
            x => F.scaled_dot_product_attention(x[0], x[1], x[2]),
            Attention
        ),
        new(
            "group norm over 32 channels in 8 groups",
            [
                [2, 32, 5, 5],
                [32],
                [32],
            ],
            x => F.group_norm(x[0], 8, x[1], x[2], Epsilon),
            x => (Normalised(x[0].view(2, 8, -1)).view(2, 32, 5, 5) * x[1].view(1, -1, 1, 1)).Plus(x[2].view(1, -1, 1, 1))
        ),
        new(
            "layer norm over 40",
            [
                [7, 40],
                [40],
                [40],
            ],
            x => F.layer_norm(x[0], [40], x[1], x[2], Epsilon),
            x => (Normalised(x[0]) * x[1]).Plus(x[2])
        ),
        new(
            "gelu",
            [
                [9, 37],
            ],
            x => F.gelu(x[0]),
            x => x[0] * tensor(0.5) * tensor(1.0).Plus((x[0] * tensor(Math.Sqrt(0.5))).erf())
        ),
        new(
            "silu",
            [
                [9, 37],
            ],
            x => F.silu(x[0]),
            x => x[0] / tensor(1.0).Plus(x[0].neg().exp())
        ),
    ];

    private static NumericsCase Convolution3(ConvolutionPath path, long inputs, long outputs, long stride) => new(
        $"a 3x3 convolution of {inputs} to {outputs} channels, stride {stride}", [[2, inputs, 8, 8], [outputs, inputs, 3, 3], [outputs]],
        x => Convolution.Apply(path, x[0], x[1], x[2], [stride, stride], [1, 1]), x => Unfolded(x[0], x[1], x[2], stride, 1));

    /// <summary>A convolution as a matrix product over the columns of its input: slow, much memory, no kernel of its own.</summary>
    internal static Tensor Unfolded(Tensor x, Tensor weight, Tensor? bias, long stride, long padding)
    {
        var kernel = weight.shape[2];
        long Side(long side) => (side + 2 * padding - kernel) / stride + 1;
        var columns = F.unfold(x, (kernel, kernel), (1, 1), (padding, padding), (stride, stride)); // [B, Cin·k·k, H'·W']
        var y = weight.flatten(1).matmul(columns).view(x.shape[0], weight.shape[0], Side(x.shape[2]), Side(x.shape[3]));
        return bias is null ? y : y.Plus(bias.view(1, -1, 1, 1));
    }

    private static Tensor Attention(IReadOnlyList<Tensor> x)
    {
        var scores = x[0].matmul(x[1].transpose(-1, -2)) * tensor(1 / Math.Sqrt(x[0].shape[^1]));
        var weights = scores.exp();
        return (weights / weights.sum(-1, keepdim: true)).matmul(x[2]);
    }

    private static Tensor Normalised(Tensor rows)
    {
        var centred = rows - rows.mean([-1], keepdim: true);
        return centred / (centred * centred).mean([-1], keepdim: true).Plus(tensor(Epsilon)).sqrt();
    }
}
