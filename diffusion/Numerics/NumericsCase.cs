using static TorchSharp.torch;

namespace Sdxl.Diffusion.Numerics;

/// <summary>One operation on fixed inputs, and what it should give.</summary>
/// <param name="Name">As a sentence names it: "a 3x3 convolution of 24 to 24 channels".</param>
/// <param name="Shapes">Of the inputs.</param>
/// <param name="Operation">As the nets compute it, on the device and in the type that are checked.</param>
/// <param name="Exact">The same from elementary operations; it is given fp64 on the CPU.</param>
public sealed record NumericsCase(
    string Name,
    IReadOnlyList<long[]> Shapes,
    Func<IReadOnlyList<Tensor>, Tensor> Operation,
    Func<IReadOnlyList<Tensor>, Tensor> Exact
);

/// <summary>An operation that gave something else than it should.</summary>
/// <param name="Device">"cpu", "cuda:0".</param>
/// <param name="Type">Type of the inputs.</param>
/// <param name="Operation">Its name.</param>
/// <param name="Part">"result", "result without gradients", "gradient of input 0".</param>
/// <param name="Expected">What fp64 gives where the difference is largest.</param>
/// <param name="Found">What the device gives there.</param>
public sealed record NumericsFault(string Device, ScalarType Type, string Operation, string Part, double Expected, double Found)
{
    /// <summary>One sentence with what to do.</summary>
    public override string ToString() =>
        FormattableString.Invariant(
            $"Device {Device} computes wrongly in {Type}: the {Part} of {Operation} should be {Expected:g6} and is {Found:g6}; nothing is trained or drawn on it. {Remedy}"
        );

    private string Remedy => Device.StartsWith("cpu", StringComparison.Ordinal)
        ? "Start the worker with the environment variable ONEDNN_MAX_CPU_ISA=SSE41 (slower, older instructions), or on another machine."
        : "Set Sdxl:Device to cpu, or install a driver and a libtorch made for this device.";
}

/// <summary>The device cannot be computed on.</summary>
public sealed class NumericsException(NumericsFault fault) : InvalidOperationException(fault.ToString())
{
    public NumericsFault Fault { get; } = fault;
}
