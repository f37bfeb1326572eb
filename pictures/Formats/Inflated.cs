using System.IO.Compression;

namespace Sdxl.Pictures.Formats;

/// <summary>Small packed texts and profiles of a PNG, inflated no further than is wanted.</summary>
internal static class Inflated
{
    /// <summary>The first bytes, at most so many; what could be inflated before the stream broke.</summary>
    public static byte[] First(ReadOnlySpan<byte> zlib, int most)
    {
        using var packed = new MemoryStream(zlib.ToArray());
        using var stream = new ZLibStream(packed, CompressionMode.Decompress);
        using var result = new MemoryStream();
        var part = new byte[8192];
        try
        {
            while (result.Length < most && stream.Read(part, 0, (int)Math.Min(part.Length, most - result.Length)) is > 0 and var read)
                result.Write(part, 0, read);
        }
        catch (InvalidDataException)
        {
            // Half a text or profile may still say what is wanted; its reader decides.
        }
        return result.ToArray();
    }
}
