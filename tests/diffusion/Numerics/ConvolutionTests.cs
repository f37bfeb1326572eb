using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Numerics;
using Sdxl.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Numerics;

/// <summary>
/// What every net convolves with, against fp64. On a machine with oneDNN's fault the plain path is wrong for half of these shapes
/// (uxlfoundation/oneDNN 5313).
/// </summary>
public sealed class ConvolutionTests
{
    private static readonly int[] Channels = [1, 3, 4, 8, 16, 17, 24, 32, 40, 48, 80, 96, 112];

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Whatever_the_shape_padded_channels_give_what_fp64_gives(ScalarType type) => AllRight(type, ConvolutionPath.PaddedChannels);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Whatever_the_shape_the_path_of_this_process_gives_what_fp64_gives(ScalarType type) => AllRight(type, Convolution.OnCpu);

    [Fact]
    public void The_paths_agree_to_the_bit_where_no_channel_is_missing()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (x, weight, bias) = (rand(2, 32, 9, 9), rand(64, 32, 3, 3), rand(64));
        var plain = Convolution.Apply(ConvolutionPath.Plain, x, weight, bias, [1, 1], [1, 1]);
        var padded = Convolution.Apply(ConvolutionPath.PaddedChannels, x, weight, bias, [1, 1], [1, 1]);
        Assert.True(plain.eq(padded).all().AsBoolean());
    }

    private static void AllRight(ScalarType type, ConvolutionPath path)
    {
        var random = new Random(7);
        int Pick(params int[] of) => of[random.Next(of.Length)];
        var cases = Enumerable
            .Range(0, 150)
            .Select(i =>
            {
                var (inputs, outputs, kernel, stride, side, batch) = (
                    Pick(Channels),
                    Pick(Channels),
                    Pick(1, 3, 5),
                    Pick(1, 2),
                    5 + random.Next(12),
                    Pick(1, 2, 3)
                );
                var (padding, wide) = (random.Next(2) == 0 ? kernel / 2 : 0, side + random.Next(3));
                return new NumericsCase(
                    $"case {i}: {batch} x {inputs} x {side} x {wide} to {outputs} channels, kernel {kernel}, stride {stride}, padding "
                        + $"{padding}",
                    [
                        [batch, inputs, side, wide],
                        [outputs, inputs, kernel, kernel],
                        [outputs],
                    ],
                    x => Convolution.Apply(path, x[0], x[1], x[2], [stride, stride], [padding, padding]),
                    x => NumericsCases.Unfolded(x[0], x[1], x[2], stride, padding)
                );
            });
        Assert.Null(NumericsCheck.FirstFault(CPU, type, cases)?.ToString());
    }
}
