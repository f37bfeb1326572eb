using Sdxl.Diffusion.Numerics;
using Sdxl.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>How a 2D convolution is computed on the CPU.</summary>
public enum ConvolutionPath
{
    /// <summary>libtorch's own, as it is called.</summary>
    Plain,

    /// <summary>
    /// Channels are filled up by zeros where oneDNN goes wrong without; what oneDNN is not asked for is a matrix product.
    /// </summary>
    PaddedChannels,
}

/// <summary>The one place where a 2D convolution is computed.</summary>
/// <remarks>
/// libtorch 2.10 holds oneDNN 3.7.1, which takes the caches of a processor that hides their sizes (virtual AMD EPYC) for one byte each; its
/// reordering of blocks of 16 channels then goes wrong at the last, incomplete one: forwards where the input's channels are no multiple of
/// 16, in the input's gradient where the output's are none (a stride: of 32). Multiples are right on every such machine seen. SDXL has only
/// a few other layers, with 3, 4 or 8 channels on one side: filling those up takes, unlike columns of the input (k² times its size), no
/// memory to speak of. See uxlfoundation/oneDNN issue 5313 for the mechanism.
/// </remarks>
public static class Convolution
{
    /// <summary>Numbers of one picture up to which libtorch leaves a small kernel to others than oneDNN.</summary>
    private const long SmallInput = 20480;

    private static readonly Lazy<ConvolutionPath> Chosen = new(() =>
        Choose(path => NumericsCheck.FirstFault(CPU, ScalarType.Float32, NumericsCases.Convolutions(path)) is null));

    /// <summary>
    /// What this process does on the CPU; found out once, at the first convolution or question, by convolving (some 20 ms).
    /// </summary>
    public static ConvolutionPath OnCpu => Chosen.Value;

    /// <summary>Plain where that is right. The padded path is not asked: where it is wrong too, the worker's check says so.</summary>
    internal static ConvolutionPath Choose(Predicate<ConvolutionPath> isRight) =>
        isRight(ConvolutionPath.Plain) ? ConvolutionPath.Plain : ConvolutionPath.PaddedChannels;

    /// <summary>x [B,Cin,H,W], weight [Cout,Cin,k,k], bias [Cout] or null -> [B,Cout,H',W'].</summary>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] paddings) =>
        Apply(x.device_type == DeviceType.CPU ? OnCpu : ConvolutionPath.Plain, x, weight, bias, strides, paddings);

    internal static Tensor Apply(ConvolutionPath path, Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] paddings)
    {
        if (path == ConvolutionPath.Plain)
            return F.conv2d(x, weight, bias, strides, paddings);
        if (IsForColumns(x, weight, strides))
            return OverColumns(x, weight, bias, strides, paddings);
        var (outputs, inputs) = (weight.shape[0], weight.shape[1]);
        var block = x.dtype == ScalarType.Float32 && strides is [1, 1] ? 16 : 32;
        var (missingOutputs, missingInputs) = (Missing(outputs, block), Missing(inputs, block));
        if (missingOutputs + missingInputs == 0)
            return F.conv2d(x, weight, bias, strides, paddings);

        using var scope = NewDisposeScope();
        var wide = missingInputs == 0 ? x : F.pad(x, [0, 0, 0, 0, 0, missingInputs]);
        var filled = F.pad(weight, [0, 0, 0, 0, 0, missingInputs, 0, missingOutputs]);
        var offsets = bias is null || missingOutputs == 0 ? bias : F.pad(bias, [0, missingOutputs]);
        var y = F.conv2d(wide, filled, offsets, strides, paddings);
        return (missingOutputs == 0 ? y : y.narrow(1, 0, outputs).contiguous()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What libtorch does not give to oneDNN (ConvParams::use_mkldnn @2.10): it asks NNPACK first, which cannot start on such a processor
    /// and says so on the error stream, each time, fifty times a step; then it makes columns as is done here.
    /// </summary>
    private static bool IsForColumns(Tensor x, Tensor weight, long[] strides) =>
        x.dtype == ScalarType.Float32
        && (weight.shape[2] == 1 && strides is [1, 1] || x.shape[0] == 1 && weight.shape[2] <= 3 && x.NumberOfElements <= SmallInput);

    /// <summary>The convolution as a matrix product over the columns [B, Cin·k·k, H'·W'] of its input.</summary>
    private static Tensor OverColumns(Tensor x, Tensor weight, Tensor? bias, long[] strides, long[] paddings)
    {
        using var scope = NewDisposeScope();
        var (kernel, batch) = (weight.shape[2], x.shape[0]);
        long Side(int i) => (x.shape[2 + i] + 2 * paddings[i] - kernel) / strides[i] + 1;
        var columns =
            kernel == 1 && strides is [1, 1] && paddings is [0, 0]
                ? x.flatten(2)
                : F.unfold(x, (kernel, kernel), (1, 1), (paddings[0], paddings[1]), (strides[0], strides[1]));
        var rows = weight.flatten(1);
        var y = batch > 1 ? Batched(rows, columns, bias)
            : bias is null ? rows.mm(columns.squeeze(0))
            : bias.unsqueeze(1).addmm(rows, columns.squeeze(0), 1, 1);
        return y.view(batch, weight.shape[0], Side(0), Side(1)).MoveToOuterDisposeScope();
    }

    private static Tensor Batched(Tensor rows, Tensor columns, Tensor? bias)
    {
        var y = rows.unsqueeze(0).expand(columns.shape[0], -1, -1).bmm(columns);
        return bias is null ? y : y.Plus_(bias.view(1, -1, 1));
    }

    private static long Missing(long channels, int block) => (block - channels % block) % block;
}
