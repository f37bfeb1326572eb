namespace SixLabors.ImageSharp;

/// <summary>A position with fractions, as <c>ResizeOptions.CenterCoordinates</c> takes it (0..1 of each side).</summary>
public struct PointF : IEquatable<PointF>
{
    public static readonly PointF Empty;

    public PointF(float x, float y)
    {
        X = x;
        Y = y;
    }

    public float X { get; set; }

    public float Y { get; set; }

    public static bool operator ==(PointF left, PointF right) => left.Equals(right);

    public static bool operator !=(PointF left, PointF right) => !left.Equals(right);

    public override int GetHashCode() => HashCode.Combine(X, Y);

    public override string ToString() => $"PointF [ X={X}, Y={Y} ]";

    public override bool Equals(object? obj) => obj is PointF other && Equals(other);

    public bool Equals(PointF other) => X.Equals(other.X) && Y.Equals(other.Y);
}
