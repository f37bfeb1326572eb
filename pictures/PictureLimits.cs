using Sdxl.Pictures.Formats;

namespace Sdxl.Pictures;

/// <summary>What is refused before memory is taken, and how much memory a picture may take.</summary>
/// <remarks>
/// A JPEG is shrunk while it is decoded, so it may be larger than the other formats, which are decoded whole at 4 bytes a pixel; not so one
/// in several scans (progressive), whose coefficients are all kept until the last. PictureMemoryTests measures.
/// </remarks>
public sealed record PictureLimits
{
    /// <summary>Millions of pixels that a JPEG in one scan may have.</summary>
    public int JpegMegapixels { get; init; } = 120;

    /// <summary>Millions of pixels that a JPEG in several scans or any other format may have.</summary>
    public int OtherMegapixels { get; init; } = 64;

    /// <summary>Bytes that a file may have.</summary>
    public int FileBytes { get; init; } = 128 << 20;

    /// <summary>
    /// MiB that one picture may take: the file, what its decoder needs and what comes out; less than 640 with the runtime's.
    /// </summary>
    public int MemoryMebibytes { get; init; } = 576;

    /// <exception cref="PictureFaultException">No pixels, or more than so many millions.</exception>
    internal void Require(long width, long height, int megapixels)
    {
        if (width < 1 || height < 1)
            throw new PictureFaultException($"the picture has no pixels ({width} x {height}).");
        if (width > int.MaxValue || height > int.MaxValue || width * height > megapixels * 1_000_000L)
        {
            var claimed = $"{width:N0} x {height:N0} pixels ({Math.Floor((double)width * height / 1e6):N0} megapixels)";
            throw new PictureFaultException($"the picture claims {claimed}, more than the {megapixels} allowed; shrink it.");
        }
    }
}
