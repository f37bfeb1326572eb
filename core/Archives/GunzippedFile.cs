using System.IO.Compression;
using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>
/// A gzip's content in a file that disappears with its stream, so that it is decompressed once, in whatever order its files are read then.
/// Bounded by <see cref="ArchiveLimits.MaxTotalBytes"/>: disk rather than memory, and no more of it than a data set may have.
/// </summary>
internal static class GunzippedFile
{
    /// <exception cref="ArchiveRefusedException">Damaged, or a bomb.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public static FileStream Of(Stream packed, ArchiveLimits limits, string archive)
    {
        packed.Position = 0;
        using var gunzip = new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
        var file = new FileStream(
            Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        try
        {
            var buffer = new byte[1 << 16];
            long total = 0;
            for (int read; (read = Read(gunzip, buffer, total, archive)) > 0;)
            {
                total += read;
                Refusals.ThrowIfBomb(archive, total, packed.Length, limits);
                file.Write(buffer, 0, read);
            }
            file.Position = 0;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static int Read(GZipStream gunzip, byte[] buffer, long before, string archive)
    {
        try
        {
            return gunzip.Read(buffer);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Refusals.Damaged(archive, $"its gzip data breaks off or is wrong after {Plural.Of(before, "unpacked byte")}", e);
        }
    }
}
