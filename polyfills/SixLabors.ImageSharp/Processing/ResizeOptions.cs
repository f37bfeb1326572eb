using SixLabors.ImageSharp.Processing.Processors.Transforms;

namespace SixLabors.ImageSharp.Processing;

/// <summary>How to resize.</summary>
public class ResizeOptions
{
    public ResizeMode Mode { get; set; } = ResizeMode.Crop;

    public AnchorPositionMode Position { get; set; } = AnchorPositionMode.Center;

    /// <summary>0..1 of each side: what stays in the middle when cropping; goes before <see cref="Position"/>.</summary>
    public PointF? CenterCoordinates { get; set; }

    /// <summary>A side of 0 follows from the other one and the proportions.</summary>
    public Size Size { get; set; }

    public IResampler Sampler { get; set; } = KnownResamplers.Bicubic;

    /// <summary>Filter in linear light.</summary>
    public bool Compand { get; set; }

    /// <summary>For <see cref="ResizeMode.Manual"/>: where in <see cref="Size"/> the picture goes.</summary>
    public Rectangle? TargetRectangle { get; set; }

    /// <summary>Multiply alpha in while filtering, so that transparent pixels lend no colour.</summary>
    public bool PremultiplyAlpha { get; set; } = true;

    public Color PadColor { get; set; }
}
