using System.Formats.Tar;
using System.Text;
using Sdxl.Core.Encodings;
using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>A tar (v7, ustar, pax or GNU) in a seekable stream. The bytes of an entry are read in place, never copied.</summary>
internal sealed class TarSource : IArchiveSource
{
    private readonly Stream stream;
    private readonly List<long> offsets = [];

    public TarSource(Stream stream, ArchiveFormat format, ArchiveLimits limits, string archive)
    {
        this.stream = stream;
        Format = format;
        var entries = new List<SourceEntry>();
        try
        {
            stream.Position = 0;
            using var reader = new TarReader(new TarHeaderGuard(stream), leaveOpen: true);
            while (reader.GetNextEntry() is { } entry)
            {
                if (entries.Count == limits.MaxEntries)
                    throw Refusals.TooManyEntries(archive, entries.Count + 1, limits);
                if (entry.DataOffset + entry.Length > stream.Length)
                    throw Refusals.Damaged(
                        archive,
                        $"entry {EntryPaths.Quote(entry.Name)} should have {Plural.Of(entry.Length, "byte")} but the file ends before them"
                    );
                offsets.Add(entry.DataOffset);
                entries.Add(Describe(entry, entries.Count));
            }
        }
        catch (Exception e) when (TarHeaderGuard.IsDamage(e))
        {
            throw Refusals.Damaged(
                archive,
                entries.Count == 0
                    ? "its first header makes no sense"
                    : $"what follows entry {EntryPaths.Quote(entries[^1].Name)} makes no sense or is cut short",
                e
            );
        }
        Entries = WithDecodedNames(entries, out var page);
        NamesCodePage = page;
    }

    public ArchiveFormat Format { get; }

    public IReadOnlyList<SourceEntry> Entries { get; }

    public CodePage? NamesCodePage { get; }

    public Stream Open(SourceEntry entry) => new StreamWindow(stream, offsets[entry.Index], entry.ClaimedBytes);

    /// <summary>A tar has a checksum over each header only, which <see cref="TarHeaderGuard"/> checks.</summary>
    public uint? RecordedCrc(SourceEntry entry) => null;

    public void Dispose() { }

    /// <summary>
    /// Old tars have names in any code page; TarReader takes them for UTF-8 and makes one mark of all that is none. Their bytes tell them
    /// apart.
    /// </summary>
    private List<SourceEntry> WithDecodedNames(List<SourceEntry> entries, out CodePage? page)
    {
        page = null;
        if (entries.TrueForAll(entry => !entry.Name.Contains('\uFFFD')))
            return entries;
        var names = ZipNames.Decode(
            [.. entries.Select(entry => entry.Name.Contains('\uFFFD') && RawName(entry) is { } raw
                ? new ZipName(raw, IsUtf8: false, null, 0) : new ZipName(Encoding.UTF8.GetBytes(entry.Name), IsUtf8: true, null, 0))],
            () => [], out page);
        return [.. entries.Select((entry, i) => entry with { Name = names[i] })];
    }

    /// <summary>The name in the entry's own header (POSIX ustar: name at 0, prefix at 345); null where a longer one stands
    /// elsewhere.</summary>
    private byte[]? RawName(SourceEntry entry)
    {
        var place = offsets[entry.Index] - TarHeader.Bytes;
        if (place < 0 || place > stream.Length - TarHeader.Bytes)
            return null;
        var header = new byte[TarHeader.Bytes];
        stream.Position = place;
        stream.ReadExactly(header);
        static byte[] Text(ReadOnlySpan<byte> field) => (field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field).ToArray();
        var name = Text(header.AsSpan(0, 100));
        var prefix = header.AsSpan(257).StartsWith("ustar\0"u8) ? Text(header.AsSpan(345, 155)) : [];
        var whole = prefix.Length > 0 ? [.. prefix, (byte)'/', .. name] : name;
        return Encoding.UTF8.GetString(whole) == entry.Name ? whole : null;
    }

    private static SourceEntry Describe(TarEntry entry, int index) =>
        entry.EntryType switch
        {
            TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile => new(
                entry.Name,
                index,
                SourceEntryKind.File,
                entry.Length
            ),
            TarEntryType.Directory or TarEntryType.DirectoryList or TarEntryType.GlobalExtendedAttributes or TarEntryType.TapeVolume => new(
                entry.Name,
                index,
                SourceEntryKind.Folder,
                0
            ),
            TarEntryType.SymbolicLink => new(
                entry.Name,
                index,
                SourceEntryKind.Link,
                0,
                $"a symbolic link to {EntryPaths.Quote(entry.LinkName)}"
            ),
            TarEntryType.HardLink => new(entry.Name, index, SourceEntryKind.Link, 0, $"a hard link to {EntryPaths.Quote(entry.LinkName)}"),
            TarEntryType.BlockDevice or TarEntryType.CharacterDevice => new(entry.Name, index, SourceEntryKind.Link, 0, "a device"),
            TarEntryType.Fifo => new(entry.Name, index, SourceEntryKind.Link, 0, "a pipe"),
            _ => new(entry.Name, index, SourceEntryKind.Unsupported, entry.Length, $"a tar entry of type {entry.EntryType}"),
        };
}
