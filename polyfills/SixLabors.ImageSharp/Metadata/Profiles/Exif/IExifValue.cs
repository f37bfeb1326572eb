namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>A value in an EXIF profile.</summary>
public interface IExifValue : IDeepCloneable<IExifValue>
{
    ExifDataType DataType { get; }

    bool IsArray { get; }

    ExifTag Tag { get; }

    object? GetValue();
}

/// <summary>A value of a known type.</summary>
public interface IExifValue<TValueType> : IExifValue
{
    TValueType? Value { get; set; }
}
