using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Numerics;
using Sdxl.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Numerics;

/// <summary>The check that a worker makes before its first job.</summary>
public sealed class NumericsCheckTests
{
    private static readonly NumericsCase Right = NumericsCases.Others[0];

    [Fact]
    public void This_machine_computes_rightly_with_the_path_that_was_chosen() =>
        Assert.Equal(Convolution.OnCpu, NumericsCheck.Require(CPU, ScalarType.Float32, ScalarType.BFloat16));

    [Fact]
    public void A_wrong_number_is_refused_with_device_operation_numbers_and_remedy()
    {
        var wrong = Right with { Operation = x => Right.Operation(x).abs() };
        var error = Assert.Throws<NumericsException>(() =>
            NumericsCheck.Require(CPU, ScalarType.Float32, [.. NumericsCases.Others.Skip(1), wrong])
        );
        Assert.StartsWith(
            "Device cpu computes wrongly in Float32: the result without gradients of a linear layer of 40 to 72 should be -",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            FormattableString.Invariant($" and is {-error.Fault.Expected:g6}; nothing is trained or drawn on it. Start the worker with"),
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_number_that_is_not_one_is_wrong()
    {
        var fault = Fault(x => Right.Operation(x) / zeros(1));
        Assert.Equal(("result without gradients", false), (fault.Part, double.IsFinite(fault.Found)));
    }

    [Fact]
    public void A_result_that_is_wrong_only_while_gradients_are_recorded_is_found() =>
        Assert.Equal("result", Fault(x => is_grad_enabled() ? Right.Operation(x).abs() : Right.Operation(x)).Part);

    [Fact]
    public void A_wrong_gradient_under_a_right_result_is_found()
    {
        var fault = Fault(x => Right.Operation([x[0], (x[1] - x[1]).Plus(x[1].detach()), x[2]])); // the weight's value, its gradient zero
        Assert.Equal("gradient of input 1", fault.Part);
    }

    [Fact]
    public void A_result_of_another_shape_is_wrong() =>
        Assert.Equal("result without gradients", Fault(x => Right.Operation(x).narrow(0, 0, 1)).Part);

    [Fact]
    public void Plain_convolutions_are_taken_where_they_are_right_and_padded_ones_elsewhere()
    {
        Assert.Equal(ConvolutionPath.Plain, Convolution.Choose(_ => true));
        Assert.Equal(ConvolutionPath.PaddedChannels, Convolution.Choose(path => path != ConvolutionPath.Plain));
    }

    private static NumericsFault Fault(Func<IReadOnlyList<Tensor>, Tensor> operation) =>
        NumericsCheck.FirstFault(CPU, ScalarType.Float32, [Right with { Operation = operation }])!;
}
