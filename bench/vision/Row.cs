using System.Text.Json;

namespace Sdxl.Bench.Vision;

/// <summary>
/// One line of the result: lower quartiles in milliseconds, their ratio ours / peer, peaks in MiB (null where the system does not tell).
/// </summary>
internal sealed record Row(string Name, double OursMs, double PeerMs, double Ratio, double? OursMib, double? PeerMib)
{
    private static readonly JsonSerializerOptions s_options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public string ToJson() =>
        JsonSerializer.Serialize(
            this with
            {
                OursMs = Math.Round(OursMs, 3),
                PeerMs = Math.Round(PeerMs, 3),
                Ratio = Math.Round(Ratio, 3),
                OursMib = Rounded(OursMib),
                PeerMib = Rounded(PeerMib),
            },
            s_options
        );

    private static double? Rounded(double? mebibytes) => mebibytes is { } value ? Math.Round(value, 1) : null;
}
