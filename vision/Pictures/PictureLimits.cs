namespace Sdxl.Vision.Pictures;

/// <summary>What is refused from its header, before memory is taken.</summary>
/// <remarks>
/// A JPEG is shrunk while it is decoded, so it may be larger than the other formats, which are decoded whole at 4 bytes a pixel.
/// With the defaults one picture takes at most about 0.5 GiB while it is decoded (a progressive JPEG of 120 megapixels up to 1 GiB) and 100 MiB afterwards.
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
