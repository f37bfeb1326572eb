namespace SixLabors.ImageSharp.Processing;

/// <summary>How a picture gets into the size asked for.</summary>
public enum ResizeMode
{
    Crop,
    Pad,
    BoxPad,
    Max,
    Min,
    Stretch,
    Manual,
}
