using System.Globalization;
using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>The sentences of refused archives, each with what is wrong and what to do.</summary>
internal static class Refusals
{
    public static ArchiveRefusedException NotAnArchive(string archive, ContentKind content) =>
        new(
            ArchiveRefusal.NotAnArchive,
            content switch
            {
                ContentKind.Empty => $"'{archive}' is an empty file (0 bytes): send a zip, tar or tar.gz of pictures.",
                ContentKind.Html =>
                    $"'{archive}' is not an archive but an HTML page, which is what a download link often gives in place of the file: send "
                        + "the zip, tar or tar.gz itself.",
                ContentKind.Rar or ContentKind.SevenZip or ContentKind.Bzip2 or ContentKind.Xz or ContentKind.Zstd =>
                    $"'{archive}' is {ContentSniffer.Describe(content)}, which is not read here: pack the pictures as zip, tar or tar.gz.",
                _ when ContentSniffer.IsPicture(content) || ContentSniffer.IsUnsupportedPicture(content) =>
                    $"'{archive}' is not an archive but {ContentSniffer.Describe(content)}: put it with the other pictures into a zip, tar "
                        + "or tar.gz.",
                ContentKind.Unknown => $"'{archive}' is not an archive that can be read: send a zip, tar or tar.gz of pictures.",
                _ => $"'{archive}' is not an archive but {ContentSniffer.Describe(content)}: send a zip, tar or tar.gz of pictures.",
            }
        );

    public static ArchiveRefusedException GzipOfSomethingElse(string archive, ContentKind content) => new(ArchiveRefusal.NotAnArchive,
        $"'{archive}' is a gzip of {ContentSniffer.Describe(content)}, not of a tar: pack the pictures as zip, tar or tar.gz.");

    public static ArchiveRefusedException Damaged(string archive, string how, Exception? inner = null) =>
        new(ArchiveRefusal.Damaged, $"Archive '{archive}' is damaged: {how}; make it again or send it again.", inner);

    public static ArchiveRefusedException TooManyEntries(string archive, int found, ArchiveLimits limits) =>
        new(
            ArchiveRefusal.TooLarge,
            $"Archive '{archive}' has {(found > limits.MaxEntries + 1 ? found.ToString("N0", CultureInfo.InvariantCulture) : "more")} "
                + $"entries where {limits.MaxEntries.ToString("N0", CultureInfo.InvariantCulture)} are allowed: send only the pictures of "
                + "the subject."
        );

    public static ArchiveRefusedException EntryTooLarge(string archive, string path, ArchiveLimits limits) =>
        new(
            ArchiveRefusal.TooLarge,
            $"Archive '{archive}': entry {EntryPaths.Quote(path)} unpacks to more than the {Size(limits.MaxEntryBytes)} that one file may "
                + "have; make that picture smaller."
        );

    /// <param name="archive">Its name.</param>
    /// <param name="unpacked">Bytes that really came out so far.</param>
    /// <param name="packed">Bytes of the whole archive.</param>
    /// <param name="limits">What is allowed.</param>
    public static void ThrowIfBomb(string archive, long unpacked, long packed, ArchiveLimits limits)
    {
        if (unpacked > limits.MaxTotalBytes)
        {
            throw new ArchiveRefusedException(
                ArchiveRefusal.TooLarge,
                $"Archive '{archive}' unpacks to more than the {Size(limits.MaxTotalBytes)} that are allowed: send fewer or smaller "
                    + "pictures."
            );
        }
        if (unpacked > limits.RatioFromBytes && unpacked > limits.MaxRatio * Math.Max(1, packed))
        {
            throw new ArchiveRefusedException(
                ArchiveRefusal.TooLarge,
                $"Archive '{archive}' looks like a zip bomb: its {Size(packed)} unpack to more than {Size(unpacked)}, over "
                    + $"{limits.MaxRatio:0} times as much; send pictures as JPEG or PNG."
            );
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.##} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.##} MiB"),
        >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.##} KiB"),
        _ => Plural.Of(bytes, "byte"),
    };
}
