using SixLabors.ImageSharp.Processing;
using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace SixLabors.ImageSharp.Formats;

/// <summary>How to open a picture.</summary>
public sealed class DecoderOptions
{
    private readonly uint maxFrames = int.MaxValue;

    internal static DecoderOptions Default { get; } = new();

    public Configuration Configuration { get; init; } = Configuration.Default;

    /// <summary>The picture is scaled (up or down) to fit into this box, proportions kept; a JPEG already while it is decoded. Null: as it is.</summary>
    public Size? TargetSize { get; init; }

    /// <summary>The filter for <see cref="TargetSize"/>.</summary>
    public IResampler Sampler { get; init; } = KnownResamplers.Box;

    /// <summary>Leave profiles and texts out, and with them the orientation.</summary>
    public bool SkipMetadata { get; init; }

    /// <summary>Frames to decode at most, at least 1.</summary>
    public uint MaxFrames
    {
        get => maxFrames;
        init => maxFrames = Math.Clamp(value, 1, int.MaxValue);
    }
}
