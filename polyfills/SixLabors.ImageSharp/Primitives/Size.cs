namespace SixLabors.ImageSharp;

/// <summary>Width and height in pixels.</summary>
public struct Size : IEquatable<Size>
{
    public static readonly Size Empty;

    public Size(int value)
        : this(value, value)
    {
    }

    public Size(int width, int height)
    {
        Width = width;
        Height = height;
    }

    public int Width { get; set; }

    public int Height { get; set; }

    public static bool operator ==(Size left, Size right) => left.Equals(right);

    public static bool operator !=(Size left, Size right) => !left.Equals(right);

    public void Deconstruct(out int width, out int height)
    {
        width = Width;
        height = Height;
    }

    public override int GetHashCode() => HashCode.Combine(Width, Height);

    public override string ToString() => $"Size [ Width={Width}, Height={Height} ]";

    public override bool Equals(object? obj) => obj is Size other && Equals(other);

    public bool Equals(Size other) => Width == other.Width && Height == other.Height;
}
