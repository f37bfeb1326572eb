using System.IO.Compression;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Whether a PNG's pixels are all there: ImageSharp 2.1 takes what there is and leaves the rest of the picture empty, or, if it is
/// interlaced, waits for the rest for ever.
/// </summary>
internal static class PngPixels
{
    /// <summary>Inflates them once, 64 KiB at a time, and no further than the header says.</summary>
    public static void RequireAll(PictureParts pixels, PngHeader header)
    {
        var (found, expected) = (0L, header.PixelBytes());
        try
        {
            using var inflated = new ZLibStream(pixels.OpenRead(), CompressionMode.Decompress);
            var buffer = new byte[1 << 16];
            while (found < expected && inflated.Read(buffer) is > 0 and var read)
                found += read;
            _ = inflated.ReadByte();        // the stream's checksum stands behind its last byte
        }
        catch (InvalidDataException error)
        {
            throw PictureFaultException.Broken($"its pixels cannot be inflated: {error.Message.TrimEnd('.')}");
        }
        if (found < expected)
            throw PictureFaultException.CutOff($"{found:N0} of {expected:N0} bytes of its pixels are there");
    }
}
