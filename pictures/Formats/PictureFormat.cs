namespace Sdxl.Pictures.Formats;

/// <summary>What is read; everything else is no picture here, whatever ImageSharp could do with it.</summary>
internal enum PictureFormat
{
    Jpeg,
    Png,
    Webp,
    Gif,
    Bmp,
    Tiff,
}
