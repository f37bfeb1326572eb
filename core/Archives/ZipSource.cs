using System.IO.Compression;
using System.Text;
using Sdxl.Core.Encodings;

namespace Sdxl.Core.Archives;

/// <summary>A zip file, read through its central directory.</summary>
internal sealed class ZipSource : IArchiveSource
{
    private const int UnixTypeMask = 0xF000; // of st_mode, which Unix tools keep in the upper half of the external attributes
    private const int UnixLink = 0xA000;
    private const int UnixFile = 0x8000;
    private const int UnixFolder = 0x4000;
    private const int CaptionFilesLookedAt = 8;

    private readonly ZipArchive zip;

    public ZipSource(Stream stream, ArchiveLimits limits, string archive)
    {
        try
        {
            zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            if (zip.Entries.Count > limits.MaxEntries)
                throw Refusals.TooManyEntries(archive, zip.Entries.Count, limits);
            var written = ZipDirectory.ReadNames(stream, zip.Entries.Count);
            if (written.Where((name, i) => name.Crc != zip.Entries[i].Crc32).Any())
                throw new InvalidDataException("the zip has two directories");
            var names = ZipNames.Decode(written, () => ReadCaptionFiles(written), out var page);
            NamesCodePage = page;
            Entries = [.. zip.Entries.Select((entry, i) => Describe(entry, i, names[i]))];
        }
        catch (Exception e)
            when (e is InvalidDataException or EndOfStreamException or IOException or ArgumentException or OverflowException)
        {
            throw Refusals.Damaged(
                archive,
                "its directory, which stands at the end of a zip, is missing or damaged, so the file was probably cut short",
                e
            );
        }
    }

    public ArchiveFormat Format => ArchiveFormat.Zip;

    public CodePage? NamesCodePage { get; }

    public IReadOnlyList<SourceEntry> Entries { get; }

    public Stream Open(SourceEntry entry) => zip.Entries[entry.Index].Open();

    public uint? RecordedCrc(SourceEntry entry) => zip.Entries[entry.Index].Crc32;

    public void Dispose() => zip.Dispose();

    /// <summary>The beginnings of the caption files, before anything is checked: only to compare names with, at most so many bytes of
    /// each.</summary>
    private List<byte[]> ReadCaptionFiles(IReadOnlyList<ZipName> names)
    {
        var texts = new List<byte[]>();
        for (var i = 0; i < names.Count && texts.Count < CaptionFilesLookedAt; i++)
        {
            var name = Encoding.Latin1.GetString(names[i].Bytes);
            if (!CaptionFileNames.IsTable(name) || zip.Entries[i].IsEncrypted)
                continue;
            try
            {
                using var content = zip.Entries[i].Open();
                var bytes = new byte[CodePageGuess.SampleBytes];
                var count = content.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                // To the end of a line, so that no letter is cut through.
                texts.Add(count < bytes.Length ? bytes[..count] : bytes[..Math.Max(0, Array.LastIndexOf(bytes, (byte)'\n'))]);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
            {
                // Damage is told when the archive is read through.
            }
        }
        return texts;
    }

    private static SourceEntry Describe(ZipArchiveEntry entry, int index, string name)
    {
        var type = (entry.ExternalAttributes >> 16) & UnixTypeMask;
        var isFolder = name.EndsWith('/') || name.EndsWith('\\') || type == UnixFolder;
        return type switch
        {
            _ when isFolder => new(name, index, SourceEntryKind.Folder, 0),
            UnixLink => new(name, index, SourceEntryKind.Link, 0, "a symbolic link"),
            0 or UnixFile when entry.IsEncrypted => new(name, index, SourceEntryKind.Encrypted, entry.Length),
            0 or UnixFile => new(name, index, SourceEntryKind.File, entry.Length),
            // DOS attributes with junk above them exist: only the Unix types of devices, pipes and sockets are refused.
            0x1000 or 0x2000 or 0x6000 or 0xC000 => new(name, index, SourceEntryKind.Link, 0, "a device, pipe or socket"),
            _ => new(name, index, entry.IsEncrypted ? SourceEntryKind.Encrypted : SourceEntryKind.File, entry.Length),
        };
    }
}
