namespace Sdxl.Pictures.Formats;

/// <summary>
/// The orientation in an EXIF block, which is a small TIFF. Nothing else of it is read, and nothing of it reaches ImageSharp.
/// </summary>
internal static class ExifOrientation
{
    /// <summary>The block as it is, or with JPEG's prefix, which some programs keep in other formats.</summary>
    public static int OfPrefixed(ReadOnlySpan<byte> exif) => Of(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);

    /// <summary>1..8; 1 where the block does not say or is garbage.</summary>
    public static int Of(ReadOnlySpan<byte> exif)
    {
        if (exif is not ([(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..]) || exif.Length < 8)
            return 1;
        var directory = new TiffDirectory(exif[0] == 'I', TiffDirectory.Long(exif, 4, exif[0] == 'I'));
        return directory.Number(exif, TiffTag.Orientation, 1) is >= 1 and <= 8 and var orientation ? (int)orientation : 1;
    }
}
