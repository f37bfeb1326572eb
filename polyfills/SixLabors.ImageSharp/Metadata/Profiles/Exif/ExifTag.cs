namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>The number of a value in an EXIF directory.</summary>
public abstract class ExifTag : IEquatable<ExifTag>
{
    private readonly ushort value;

    internal ExifTag(ushort value) => this.value = value;

    /// <summary>1..8: how the stored picture must be flipped and turned to stand upright (EXIF 2.3, 4.6.4).</summary>
    public static ExifTag<ushort> Orientation { get; } = new(0x0112);

    public static explicit operator ushort(ExifTag tag) => tag.value;

    public static bool operator ==(ExifTag? left, ExifTag? right) => Equals(left, right);

    public static bool operator !=(ExifTag? left, ExifTag? right) => !Equals(left, right);

    public override bool Equals(object? obj) => Equals(obj as ExifTag);

    public bool Equals(ExifTag? other) => other is not null && value == other.value;

    public override int GetHashCode() => value.GetHashCode();

    public override string ToString() => value == 0x0112 ? nameof(Orientation) : $"0x{value:X4}";
}

/// <summary>A tag whose values have this type.</summary>
public sealed class ExifTag<TValueType> : ExifTag
{
    internal ExifTag(ushort value)
        : base(value)
    {
    }
}
