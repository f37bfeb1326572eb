namespace SixLabors.ImageSharp;

/// <summary>A rectangle of whole pixels; right and bottom are exclusive.</summary>
public struct Rectangle : IEquatable<Rectangle>
{
    public static readonly Rectangle Empty;

    public Rectangle(int x, int y, int width, int height)
    {
        X = x;
        Y = y;
        Width = width;
        Height = height;
    }

    public Rectangle(Point point, Size size)
        : this(point.X, point.Y, size.Width, size.Height)
    {
    }

    public int X { get; set; }

    public int Y { get; set; }

    public int Width { get; set; }

    public int Height { get; set; }

    public Point Location
    {
        get => new(X, Y);
        set => (X, Y) = (value.X, value.Y);
    }

    public Size Size
    {
        get => new(Width, Height);
        set => (Width, Height) = (value.Width, value.Height);
    }

    public bool IsEmpty => Equals(Empty);

    public int Top => Y;

    public int Right => unchecked(X + Width);

    public int Bottom => unchecked(Y + Height);

    public int Left => X;

    public static bool operator ==(Rectangle left, Rectangle right) => left.Equals(right);

    public static bool operator !=(Rectangle left, Rectangle right) => !left.Equals(right);

    public static Rectangle FromLTRB(int left, int top, int right, int bottom) => new(left, top, unchecked(right - left), unchecked(bottom - top));

    public static Rectangle Intersect(Rectangle a, Rectangle b)
    {
        var left = Math.Max(a.X, b.X);
        var right = Math.Min(a.Right, b.Right);
        var top = Math.Max(a.Y, b.Y);
        var bottom = Math.Min(a.Bottom, b.Bottom);
        return right >= left && bottom >= top ? new Rectangle(left, top, right - left, bottom - top) : Empty;
    }

    public bool Contains(int x, int y) => X <= x && x < Right && Y <= y && y < Bottom;

    public bool Contains(Point point) => Contains(point.X, point.Y);

    public bool Contains(Rectangle rectangle) =>
        X <= rectangle.X && rectangle.Right <= Right && Y <= rectangle.Y && rectangle.Bottom <= Bottom;

    public bool IntersectsWith(Rectangle rectangle) =>
        rectangle.X < Right && X < rectangle.Right && rectangle.Y < Bottom && Y < rectangle.Bottom;

    public override int GetHashCode() => HashCode.Combine(X, Y, Width, Height);

    public override string ToString() => $"Rectangle [ X={X}, Y={Y}, Width={Width}, Height={Height} ]";

    public override bool Equals(object? obj) => obj is Rectangle other && Equals(other);

    public bool Equals(Rectangle other) => X == other.X && Y == other.Y && Width == other.Width && Height == other.Height;
}
