namespace Sdxl.Core.Archives;

/// <summary>Why an archive is refused.</summary>
public enum ArchiveRefusal
{
    /// <summary>The file is empty or something else than a zip, tar or tar.gz.</summary>
    NotAnArchive,
    Empty,
    NoPictures,
    /// <summary>It holds archives instead of pictures.</summary>
    NestedArchive,
    Encrypted,
    /// <summary>A name leads out of the folder that the archive is unpacked into, or no file can have it.</summary>
    UnsafePath,
    /// <summary>Symbolic or hard link, device or pipe.</summary>
    Link,
    /// <summary>Too many entries, too many bytes or too high a ratio.</summary>
    TooLarge,
    /// <summary>Cut short, checksum wrong, or headers that make no sense.</summary>
    Damaged,
    /// <summary>A compression method or variant that is not read here.</summary>
    UnsupportedCompression,
    DuplicatePath,
}

/// <summary>One thing wrong with an archive: a code for programs and one sentence for people.</summary>
public sealed record ArchiveProblem(ArchiveRefusal Refusal, string Sentence);

/// <summary>
/// An archive is refused; nothing of it was unpacked. The message is one sentence for each problem found, each saying what is wrong and
/// what to do.
/// </summary>
public sealed class ArchiveRefusedException : Exception
{
    public ArchiveRefusedException(IReadOnlyList<ArchiveProblem> problems, Exception? inner = null)
        : base(string.Join(' ', problems.Select(problem => problem.Sentence)), inner) => Problems = problems;

    public ArchiveRefusedException(ArchiveRefusal refusal, string sentence, Exception? inner = null)
        : this([new ArchiveProblem(refusal, sentence)], inner) { }

    /// <summary>Everything that is wrong, at least one.</summary>
    public IReadOnlyList<ArchiveProblem> Problems { get; }

    /// <summary>The first problem's code.</summary>
    public ArchiveRefusal Refusal => Problems[0].Refusal;
}
