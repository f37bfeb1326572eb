using Sdxl.Diffusion.Numerics;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>How a 2D convolution is computed on the CPU.</summary>
public enum ConvolutionPath
{
    /// <summary>libtorch's own, as it is called.</summary>
    Plain,

    /// <summary>libtorch's own, with channels filled up by zeros where it goes wrong without.</summary>
    PaddedChannels,
}

/// <summary>The one place where a 2D convolution is computed.</summary>
/// <remarks>
/// libtorch 2.10 holds oneDNN 3.7.1, which takes the caches of a processor that hides their sizes (virtual AMD EPYC) for one byte each; its reordering of blocks of 16
/// channels then goes wrong at the last, incomplete one: forwards where the input's channels are no multiple of 16, in the input's gradient where the output's are none
/// (a stride: of 32). Multiples are right on every such machine seen. SDXL has only four other layers, with 3, 4 or 8 channels on one side: filling those up costs less than
/// a hundredth of a pass, and unlike unfolding the input into columns no memory to speak of. See uxlfoundation/oneDNN issue 5313 for the mechanism.
/// </remarks>
public static class Convolution
{
    private static readonly Lazy<ConvolutionPath> Chosen = new(() =>
        Choose(path => NumericsCheck.FirstFault(CPU, ScalarType.Float32, NumericsCases.Convolutions(path)) is null));

    /// <summary>What this process does on the CPU; found out once, at the first convolution or question, by convolving (some 20 ms).</summary>
    public static ConvolutionPath OnCpu => Chosen.Value;

    /// <summary>Plain where that is right. The padded path is not asked: where it is wrong too, the worker's check says so.</summary>
    internal static ConvolutionPath Choose(Predicate<ConvolutionPath> isRight) => isRight(ConvolutionPath.Plain) ? ConvolutionPath.Plain : ConvolutionPath.PaddedChannels;

    /// <summary>x [B,Cin,H,W], weight [Cout,Cin,k,k], bias [Cout] or null -> [B,Cout,H',W'].</summary>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] paddings) =>
        Apply(x.device_type == DeviceType.CPU ? OnCpu : ConvolutionPath.Plain, x, weight, bias, strides, paddings);

    internal static Tensor Apply(ConvolutionPath path, Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] paddings)
    {
        var (outputs, inputs) = (weight.shape[0], weight.shape[1]);
        var block = x.dtype == ScalarType.Float32 && strides is [1, 1] ? 16 : 32;
        var (missingOutputs, missingInputs) = (Missing(outputs, block), Missing(inputs, block));
        if (path == ConvolutionPath.Plain || missingOutputs + missingInputs == 0 || IsProduct(x, weight, strides))
            return F.conv2d(x, weight, bias, strides, paddings);

        using var scope = NewDisposeScope();
        var wide = missingInputs == 0 ? x : F.pad(x, [0, 0, 0, 0, 0, missingInputs]);
        var filled = F.pad(weight, [0, 0, 0, 0, 0, missingInputs, 0, missingOutputs]);
        var offsets = bias is null || missingOutputs == 0 ? bias : F.pad(bias, [0, missingOutputs]);
        var y = F.conv2d(wide, filled, offsets, strides, paddings);
        return (missingOutputs == 0 ? y : y.narrow(1, 0, outputs).contiguous()).MoveToOuterDisposeScope();
    }

    /// <summary>A kernel of one pixel is computed as a matrix product, which is right in fp32 whatever the channels.</summary>
    private static bool IsProduct(Tensor x, Tensor weight, long[] strides) =>
        x.dtype == ScalarType.Float32 && weight.shape[2] == 1 && weight.shape[3] == 1 && strides is [1, 1];

    private static long Missing(long channels, int block) => (block - channels % block) % block;
}
