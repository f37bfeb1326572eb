using Sdxl.Core.Encodings;

namespace Sdxl.Core.Archives;

/// <summary>
/// An archive that was read through and found harmless. Nothing is written anywhere: entries are read as streams.
/// One entry at a time, from one thread, in any order.
/// </summary>
public sealed class Archive : IDisposable
{
    private readonly IArchiveSource source;
    private readonly Dictionary<string, SourceEntry> byPath;
    private readonly Dictionary<string, long> bytesByPath;
    private readonly IDisposable? owned;

    internal Archive(
        string name,
        IArchiveSource source,
        IReadOnlyList<(ArchiveEntry Entry, SourceEntry Source)> entries,
        ArchiveContents contents,
        IDisposable? owned
    )
    {
        Name = name;
        this.source = source;
        this.owned = owned;
        Entries = [.. entries.Select(pair => pair.Entry)];
        Contents = contents;
        byPath = entries
            .Where(pair => pair.Entry.Kind != ArchiveEntryKind.Rubbish)
            .ToDictionary(pair => pair.Entry.Path, pair => pair.Source, StringComparer.Ordinal);
        bytesByPath = entries
            .Where(pair => pair.Entry.Kind != ArchiveEntryKind.Rubbish)
            .ToDictionary(pair => pair.Entry.Path, pair => pair.Entry.Bytes, StringComparer.Ordinal);
    }

    /// <summary>As the user calls it; for messages.</summary>
    public string Name { get; }

    public ArchiveFormat Format => source.Format;

    /// <summary>The code page that the files' names were guessed to be in; null where they said it or hold ASCII only.</summary>
    public CodePage? NamesCodePage => source.NamesCodePage;

    /// <summary>Every file, rubbish included, in the archive's own order.</summary>
    public IReadOnlyList<ArchiveEntry> Entries { get; }

    /// <summary>Pictures with their masks and captions, caption files, settings, and what is left out.</summary>
    public ArchiveContents Contents { get; }

    /// <summary>The entry's bytes, at most as many as were counted when the archive was checked. Rubbish cannot be opened.</summary>
    public Stream Open(ArchiveEntry entry) => Open(entry.Path);

    /// <param name="path">As in <see cref="ArchiveEntry.Path"/>.</param>
    public Stream Open(string path) =>
        byPath.TryGetValue(path, out var entry)
            ? new CappedStream(source.Open(entry), bytesByPath[path])
            : throw new FileNotFoundException(
                $"Archive '{Name}' has no entry {EntryPaths.Quote(path)} that could be read; it has {byPath.Count}.",
                path
            );

    /// <summary>A small text entry's bytes (captions, settings).</summary>
    /// <exception cref="InvalidDataException">It is longer than <paramref name="maxBytes"/>.</exception>
    public byte[] ReadSmall(string path, int maxBytes = 4 << 20)
    {
        using var stream = Open(path);
        if (bytesByPath[path] > maxBytes)
            throw new InvalidDataException(
                $"Archive '{Name}': {EntryPaths.Quote(path)} has {bytesByPath[path]:N0} bytes where at most {maxBytes:N0} are expected of "
                    + "a text file."
            );
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    public void Dispose()
    {
        source.Dispose();
        owned?.Dispose();
    }
}
