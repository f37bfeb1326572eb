using Sdxl.Core.Archives;
using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// A file's own structure, read here before ImageSharp sees a byte of it: its size against the limits, whether it was cut off (decoders are
/// lenient: they fill what is missing with grey, and training would learn the grey), how many pictures it holds, how it lies, and the parts
/// that decoding the first picture needs. Comments, profiles, thumbnails and further frames never reach a decoder.
/// </summary>
/// <param name="Width">As stored, before the orientation.</param>
/// <param name="Parts">A file of the same format with the first picture only.</param>
/// <param name="Frames">Frames of an animation, pages of a TIFF; 1 or more.</param>
/// <param name="Orientation">1..8 as in EXIF.</param>
internal sealed record PictureStructure(
    PictureFormat Format, int Width, int Height, PictureParts Parts, int Frames = 1, int Orientation = 1)
{
    /// <summary>What the numbers of its pixels mean; sRGB where the file does not say.</summary>
    public ColourProfile Colours { get; init; } = ColourProfile.Read([]);

    /// <exception cref="PictureFaultException">No picture, beyond the limits, cut off, broken, or of a kind that is not read.</exception>
    public static PictureStructure Of(byte[] file, PictureLimits limits) => file switch
    {
        [0xFF, 0xD8, 0xFF, ..] => JpegStructure.Of(file, limits),
        [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n', ..] => PngStructure.Of(file, limits),
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] =>
            WebpStructure.Of(file, limits),
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => GifStructure.Of(file, limits),
        [(byte)'B', (byte)'M', ..] => BmpStructure.Of(file, limits),
        [(byte)'I', (byte)'I', 43, 0, ..] or [(byte)'M', (byte)'M', 0, 43, ..] => throw PictureFaultException.Unsupported("a BigTIFF"),
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => TiffStructure.Of(file, limits),
        _ => throw (ContentSniffer.Tell(file.AsSpan(0, Math.Min(file.Length, ContentSniffer.HeadBytes))) is var kind
            && ContentSniffer.IsUnsupportedPicture(kind)
            ? PictureFaultException.Unsupported(ContentSniffer.Describe(kind))
            : new PictureFaultException("this is not a picture (expected JPEG, PNG, WebP, GIF, BMP or TIFF).")),
    };
}
