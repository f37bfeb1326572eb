namespace SixLabors.ImageSharp.Metadata.Profiles.Exif;

/// <summary>Types of values in a TIFF directory (TIFF 6.0, section 2).</summary>
public enum ExifDataType
{
    Unknown = 0,
    Byte = 1,
    Ascii = 2,
    Short = 3,
    Long = 4,
    Rational = 5,
    SignedByte = 6,
    Undefined = 7,
    SignedShort = 8,
    SignedLong = 9,
    SignedRational = 10,
    SingleFloat = 11,
    DoubleFloat = 12,
}
