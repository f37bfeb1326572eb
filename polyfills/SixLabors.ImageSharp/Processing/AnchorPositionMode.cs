namespace SixLabors.ImageSharp.Processing;

/// <summary>Which part is kept, or where the picture stands.</summary>
public enum AnchorPositionMode
{
    Center,
    Top,
    Bottom,
    Left,
    Right,
    TopLeft,
    TopRight,
    BottomRight,
    BottomLeft,
}
