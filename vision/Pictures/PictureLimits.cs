namespace Sdxl.Vision.Pictures;

/// <summary>What is refused from its header, before memory is taken.</summary>
/// <remarks>
/// A JPEG is shrunk while it is decoded, so it may be larger than the other formats, which are decoded whole at 4 bytes a pixel.
/// Measured: a JPEG of 12,000 x 9,000 takes 120 MiB at its peak and 36 MiB afterwards. Computed for the worst that the defaults let in: 64 megapixels of another format
/// 0.3 GiB; a progressive JPEG of 120 megapixels, whose coefficients are all kept until its last scan, 0.7 GiB.
/// </remarks>
public sealed record PictureLimits
{
    /// <summary>Millions of pixels that a JPEG may have.</summary>
    public int JpegMegapixels { get; init; } = 120;

    /// <summary>Millions of pixels that any other format may have.</summary>
    public int OtherMegapixels { get; init; } = 64;

    /// <summary>Bytes that a file may have.</summary>
    public int FileBytes { get; init; } = 128 << 20;
}
