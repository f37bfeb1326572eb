using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>
/// Where a net's weights lie and in which type. Chosen at construction: nets here are never moved, so parameters are never replaced.
/// </summary>
/// <param name="Device">CPU, CUDA, or META (names and shapes only, no memory).</param>
/// <param name="Dtype">Type of every weight of the net.</param>
public sealed record Placement(Device Device, ScalarType Dtype)
{
    /// <summary>fp32 on the CPU.</summary>
    public static Placement CpuFloat { get; } = new(CPU, ScalarType.Float32);

    /// <summary>Names and shapes without storage: how the full-size nets are checked.</summary>
    public static Placement ShapesOnly { get; } = new(META, ScalarType.Float32);
}
