namespace SixLabors.ImageSharp.Processing;

/// <summary>Mirroring.</summary>
public enum FlipMode
{
    None,
    Horizontal,
    Vertical,
}
