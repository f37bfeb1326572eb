using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>
/// Reads an uploaded archive without believing it: format and picture kinds by content, sizes by counting, names checked, checksums
/// verified. The archive is read through once before <see cref="Open"/> returns, so that nothing of a bad one is ever unpacked.
/// </summary>
public static class ArchiveReader
{
    private const int NamesInMessage = 3;

    /// <param name="stream">Seekable; stays open and must live as long as the archive.</param>
    /// <param name="displayName">What the user calls it, for messages.</param>
    /// <param name="limits">How much may come out of it.</param>
    /// <exception cref="ArchiveRefusedException">It is no archive, holds no picture, or is unsafe; lists all that is wrong.</exception>
    public static Archive Open(Stream stream, string displayName, ArchiveLimits? limits = null)
    {
        limits ??= ArchiveLimits.Default;
        if (!stream.CanSeek)
            throw new ArgumentException("an archive is read through a seekable stream: copy this one into a file first", nameof(stream));
        var source = OpenSource(stream, displayName, limits, out var owned);
        try
        {
            var read = ReadThrough(source, displayName, stream.Length, limits);
            var contents = ContentsBuilder.Sort(displayName, read, out var entries);
            return new Archive(displayName, source, entries, contents, owned);
        }
        catch
        {
            source.Dispose();
            owned?.Dispose();
            throw;
        }
    }

    private static IArchiveSource OpenSource(Stream stream, string name, ArchiveLimits limits, out IDisposable? owned)
    {
        owned = null;
        switch (TellHead(stream))
        {
            case ContentKind.Zip:
                return new ZipSource(stream, limits, name);
            case ContentKind.Tar:
                return new TarSource(stream, ArchiveFormat.Tar, limits, name);
            case ContentKind.Gzip:
                var gunzipped = GunzippedFile.Of(stream, limits, name);
                owned = gunzipped;
                try
                {
                    return TellHead(gunzipped) is var inner && inner == ContentKind.Tar
                        ? new TarSource(gunzipped, ArchiveFormat.TarGz, limits, name)
                        : throw Refusals.GzipOfSomethingElse(name, inner);
                }
                catch
                {
                    gunzipped.Dispose();
                    throw;
                }
            case var other:
                throw Refusals.NotAnArchive(name, other);
        }
    }

    private static ContentKind TellHead(Stream stream)
    {
        Span<byte> head = stackalloc byte[ContentSniffer.HeadBytes];
        stream.Position = 0;
        var kind = ContentSniffer.Tell(head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)]);
        stream.Position = 0;
        return kind;
    }

    /// <summary>Checks every name and every byte; returns the files with their true lengths and kinds of content.</summary>
    private static List<ReadEntry> ReadThrough(IArchiveSource source, string name, long packedBytes, ArchiveLimits limits)
    {
        var problems = new ProblemList(name);
        var files = new List<ReadEntry>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        long total = 0;
        foreach (var entry in source.Entries)
        {
            var path = EntryPaths.Normalise(entry.Name);
            var isRubbish = EntryPaths.IsRubbish(path);
            if (EntryPaths.WhyUnsafe(entry.Name) is { } why && !(isRubbish && entry.Name.EndsWith("Icon\r", StringComparison.Ordinal)))
                problems.Add(ArchiveRefusal.UnsafePath, entry.Name, why);
            else if (entry.Kind == SourceEntryKind.Folder || path.Length == 0)
                continue;
            else if (entry.Kind == SourceEntryKind.Link)
                problems.Add(ArchiveRefusal.Link, path, $"is {entry.What}");
            else if (isRubbish)
                files.Add(new ReadEntry(path, entry, entry.ClaimedBytes, ContentKind.Unknown, IsRubbish: true));
            else if (!seen.Add(path))
                problems.Add(ArchiveRefusal.DuplicatePath, path, "is there twice");
            else if (entry.Kind == SourceEntryKind.Encrypted)
                problems.Add(ArchiveRefusal.Encrypted, path, "is encrypted");
            else if (entry.Kind == SourceEntryKind.Unsupported)
                problems.Add(ArchiveRefusal.UnsupportedCompression, path, $"is {entry.What}");
            else if (ReadThrough(source, entry, path, name, packedBytes, limits, problems, ref total) is { } read)
                files.Add(read);
        }
        problems.ThrowIfAny();
        return files;
    }

    private static ReadEntry? ReadThrough(
        IArchiveSource source,
        SourceEntry entry,
        string path,
        string name,
        long packedBytes,
        ArchiveLimits limits,
        ProblemList problems,
        ref long total
    )
    {
        try
        {
            using var stream = source.Open(entry);
            var buffer = new byte[1 << 16];
            var filled = stream.ReadAtLeast(buffer, ContentSniffer.HeadBytes, throwOnEndOfStream: false);
            var kind = ContentSniffer.Tell(buffer.AsSpan(0, Math.Min(filled, ContentSniffer.HeadBytes)));
            var crc = 0u;
            long bytes = 0;
            for (; filled > 0; filled = stream.Read(buffer))
            {
                bytes += filled;
                total += filled;
                if (bytes > limits.MaxEntryBytes)
                    throw Refusals.EntryTooLarge(name, path, limits);
                Refusals.ThrowIfBomb(name, total, packedBytes, limits);
                crc = Crc32.Append(crc, buffer.AsSpan(0, filled));
            }
            if (source.RecordedCrc(entry) is { } recorded && recorded != crc)
                problems.Add(ArchiveRefusal.Damaged, path, $"has checksum {crc:x8} where {recorded:x8} is recorded");
            else if (bytes != entry.ClaimedBytes)
                problems.Add(
                    ArchiveRefusal.Damaged,
                    path,
                    $"has {Plural.Of(bytes, "byte")} where {entry.ClaimedBytes:N0} {Plural.Verb(entry.ClaimedBytes, "is", "are")} recorded"
                );
            return new ReadEntry(path, entry, bytes, kind, IsRubbish: false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            // ZipArchive has one exception for damage and for methods that it lacks; its text is the only difference.
            if (e.Message.Contains("compressed using", StringComparison.OrdinalIgnoreCase))
                problems.Add(ArchiveRefusal.UnsupportedCompression, path, "is packed with a method that is not read here");
            else
                problems.Add(ArchiveRefusal.Damaged, path, "cannot be unpacked");
            return null;
        }
    }

    /// <summary>Problems by kind, one sentence a kind that names the first few entries.</summary>
    private sealed class ProblemList(string archive)
    {
        private readonly List<(ArchiveRefusal Refusal, string Path, string What)> found = [];

        public void Add(ArchiveRefusal refusal, string path, string what) => found.Add((refusal, path, what));

        public void ThrowIfAny()
        {
            if (found.Count > 0)
                throw new ArchiveRefusedException([
                    .. found
                        .GroupBy(problem => problem.Refusal)
                        .Select(group => new ArchiveProblem(group.Key, Sentence(group.Key, [.. group]))),
                ]);
        }

        private string Sentence(ArchiveRefusal refusal, List<(ArchiveRefusal Refusal, string Path, string What)> same)
        {
            var names = string.Join(", ", same.Take(NamesInMessage).Select(problem => $"{EntryPaths.Quote(problem.Path)} {problem.What}"));
            var more = same.Count > NamesInMessage ? $" (and {same.Count - NamesInMessage} more)" : "";
            return $"Archive '{archive}': entry {names}{more}; {WhatToDo(refusal)}.";
        }

        private static string WhatToDo(ArchiveRefusal refusal) => refusal switch
        {
            ArchiveRefusal.UnsafePath => "pack the archive again from inside the folder of pictures, nothing was unpacked",
            ArchiveRefusal.Link => "pack the archive again with the files themselves",
            ArchiveRefusal.DuplicatePath => "rename one of them and pack the archive again",
            ArchiveRefusal.Encrypted => "pack the archive again without a password",
            ArchiveRefusal.UnsupportedCompression => "pack the archive again with ordinary zip compression (deflate)",
            _ => "the archive is damaged, make it again or send it again",
        };
    }
}

/// <summary>A file that was read through: its path, true length and content.</summary>
internal sealed record ReadEntry(string Path, SourceEntry Source, long Bytes, ContentKind Content, bool IsRubbish);
