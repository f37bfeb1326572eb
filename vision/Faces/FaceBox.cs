namespace Sdxl.Vision.Faces;

/// <summary>A face in the pixels of the picture that was searched.</summary>
/// <param name="Score">0..1.</param>
/// <param name="Landmarks">Right eye, left eye, nose, right and left corner of the mouth: x, y each, ten numbers.</param>
public sealed record FaceBox(float Score, float X, float Y, float Width, float Height, IReadOnlyList<float> Landmarks)
{
    /// <summary>Intersection over union, 0..1.</summary>
    public float Overlap(FaceBox other)
    {
        var width = Math.Min(X + Width, other.X + other.Width) - Math.Max(X, other.X);
        var height = Math.Min(Y + Height, other.Y + other.Height) - Math.Max(Y, other.Y);
        if (width <= 0 || height <= 0)
            return 0;
        var common = width * height;
        return common / (Width * Height + other.Width * other.Height - common);
    }

    /// <summary>The same face where coordinates are factor times as large.</summary>
    public FaceBox Scaled(float factor) =>
        new(Score, X * factor, Y * factor, Width * factor, Height * factor, [.. Landmarks.Select(value => value * factor)]);
}
