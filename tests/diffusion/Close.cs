using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests;

/// <summary>
/// How close is close (goldens/README.md): |a - b| is at most t + t |b|, because fp32 on another BLAS differs in the last digits.
/// </summary>
internal static class Close
{
    /// <summary>For one forward pass.</summary>
    public const double Pass = 1e-4;

    /// <summary>For a whole sampling or training trajectory.</summary>
    public const double Trajectory = 1e-3;

    public static void To(Tensor expected, Tensor found, double tolerance, string what)
    {
        Assert.True(
            expected.shape.SequenceEqual(found.shape),
            $"{what}: expected shape [{string.Join(", ", expected.shape)}], found [{string.Join(", ", found.shape)}]"
        );
        using var scope = NewDisposeScope();
        var (e, f) = (expected.detach().to_type(ScalarType.Float64), found.detach().to_type(ScalarType.Float64));
        var excess = ((f - e).abs() - (e.abs() * Num(tolerance) + Num(tolerance))).max().AsDouble();
        Assert.True(
            excess <= 0,
            $"{what}: off by {(f - e).abs().max().AsDouble():g4} at most, {excess:g4} more than the tolerance {tolerance:g2}; expected "
                + $"{e.flatten()[0].AsDouble():g6}…, found {f.flatten()[0].AsDouble():g6}…"
        );
    }

    public static void To(double expected, double found, double tolerance, string what) =>
        Assert.True(
            Math.Abs(found - expected) <= tolerance + tolerance * Math.Abs(expected),
            $"{what}: expected {expected}, found {found}"
        );
}
