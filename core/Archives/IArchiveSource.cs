using Sdxl.Core.Encodings;

namespace Sdxl.Core.Archives;

/// <summary>What the container's own directory says of one entry.</summary>
internal enum SourceEntryKind
{
    File,
    Folder,
    Link,
    Encrypted,
    Unsupported,
}

/// <summary>One entry as its container lists it, before anything is believed.</summary>
/// <param name="Name">As written in the archive.</param>
/// <param name="Index">Position in the archive.</param>
/// <param name="Kind">What the container says of it.</param>
/// <param name="ClaimedBytes">The header's claim.</param>
/// <param name="What">For links and unsupported entries: what it is ("a symbolic link").</param>
internal sealed record SourceEntry(string Name, int Index, SourceEntryKind Kind, long ClaimedBytes, string What = "");

/// <summary>A container: its list of entries and their bytes. Not thread-safe: all entries share one stream.</summary>
internal interface IArchiveSource : IDisposable
{
    ArchiveFormat Format { get; }

    IReadOnlyList<SourceEntry> Entries { get; }

    /// <summary>The code page that the names were guessed to be in; null where they said it or hold ASCII only.</summary>
    CodePage? NamesCodePage { get; }

    Stream Open(SourceEntry entry);

    /// <summary>The CRC-32 that the container has recorded for the entry; null where the format has none.</summary>
    uint? RecordedCrc(SourceEntry entry);
}
