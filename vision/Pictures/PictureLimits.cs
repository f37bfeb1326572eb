namespace Sdxl.Vision.Pictures;

/// <summary>What is refused from its header, before memory is taken.</summary>
/// <remarks>
/// A JPEG is shrunk while it is decoded, so it may be larger than the other formats, which are decoded whole at 4 bytes a pixel; not so one in several scans (progressive), whose coefficients are
/// all kept until the last. The memory of one preparing activity, beside the models, is at most 640 MiB. Measured (PictureMemoryTests, with the stand-in
/// for ImageSharp): a JPEG of 12,000 x 9,000 120 MiB while it is decoded,
/// 170 MiB for the whole preparation; 64 megapixels as 16-bit PNG 320 MiB, as TIFF 310 MiB, as BMP (64 MB of file) 370 MiB, as progressive JPEG in full colour 560 MiB.
/// <see cref="Models.VisionOptions.ParallelPictures"/> of them run at once.
/// </remarks>
public sealed record PictureLimits
{
    /// <summary>Millions of pixels that a JPEG in one scan may have.</summary>
    public int JpegMegapixels { get; init; } = 120;

    /// <summary>Millions of pixels that a JPEG in several scans or any other format may have.</summary>
    public int OtherMegapixels { get; init; } = 64;

    /// <summary>Bytes that a file may have.</summary>
    public int FileBytes { get; init; } = 128 << 20;
}
