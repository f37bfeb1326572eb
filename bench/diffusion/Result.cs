using System.Text.Json;

namespace Sdxl.Bench.Diffusion;

/// <summary>One side of one case.</summary>
/// <param name="Ms">Median time of a step, milliseconds.</param>
/// <param name="Mib">Peak memory of the process, MiB.</param>
internal sealed record Result(double Ms, double Mib)
{
    public static JsonSerializerOptions Json { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}
