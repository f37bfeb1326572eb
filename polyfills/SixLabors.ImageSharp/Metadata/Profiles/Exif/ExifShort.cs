namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>One 16-bit number.</summary>
internal sealed class ExifShort(ExifTag tag, ushort number) : IExifValue<ushort>
{
    public ExifDataType DataType => ExifDataType.Short;

    public bool IsArray => false;

    public ExifTag Tag { get; } = tag;

    public ushort Value { get; set; } = number;

    public object? GetValue() => Value;

    public IExifValue DeepClone() => new ExifShort(Tag, Value);
}
