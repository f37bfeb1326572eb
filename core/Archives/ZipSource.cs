using System.IO.Compression;

namespace Sdxl.Core.Archives;

/// <summary>A zip file, read through its central directory.</summary>
internal sealed class ZipSource : IArchiveSource
{
    private const int UnixTypeMask = 0xF000; // of st_mode, which Unix tools keep in the upper half of the external attributes
    private const int UnixLink = 0xA000;
    private const int UnixFile = 0x8000;
    private const int UnixFolder = 0x4000;

    private readonly ZipArchive zip;

    public ZipSource(Stream stream, ArchiveLimits limits, string archive)
    {
        try
        {
            zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            if (zip.Entries.Count > limits.MaxEntries)
                throw Refusals.TooManyEntries(archive, zip.Entries.Count, limits);
            Entries = [.. zip.Entries.Select(Describe)];
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or IOException or ArgumentException or OverflowException)
        {
            throw Refusals.Damaged(archive, "its directory, which stands at the end of a zip, is missing or damaged, so the file was probably cut short", e);
        }
    }

    public ArchiveFormat Format => ArchiveFormat.Zip;

    public IReadOnlyList<SourceEntry> Entries { get; }

    public Stream Open(SourceEntry entry) => zip.Entries[entry.Index].Open();

    public uint? RecordedCrc(SourceEntry entry) => zip.Entries[entry.Index].Crc32;

    public void Dispose() => zip.Dispose();

    private static SourceEntry Describe(ZipArchiveEntry entry, int index)
    {
        var type = (entry.ExternalAttributes >> 16) & UnixTypeMask;
        var isFolder = entry.FullName.EndsWith('/') || entry.FullName.EndsWith('\\') || type == UnixFolder;
        return type switch
        {
            _ when isFolder => new(entry.FullName, index, SourceEntryKind.Folder, 0),
            UnixLink => new(entry.FullName, index, SourceEntryKind.Link, 0, "a symbolic link"),
            0 or UnixFile when entry.IsEncrypted => new(entry.FullName, index, SourceEntryKind.Encrypted, entry.Length),
            0 or UnixFile => new(entry.FullName, index, SourceEntryKind.File, entry.Length),
            // DOS attributes with junk above them exist: only the Unix types of devices, pipes and sockets are refused.
            0x1000 or 0x2000 or 0x6000 or 0xC000 => new(entry.FullName, index, SourceEntryKind.Link, 0, "a device, pipe or socket"),
            _ => new(entry.FullName, index, entry.IsEncrypted ? SourceEntryKind.Encrypted : SourceEntryKind.File, entry.Length),
        };
    }
}
