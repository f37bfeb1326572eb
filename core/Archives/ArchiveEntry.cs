namespace Sdxl.Core.Archives;

/// <summary>What a file of an archive is to a training.</summary>
public enum ArchiveEntryKind
{
    Picture,
    Mask,
    CaptionFile,
    CaptionText,
    Settings,
    Rubbish,
    Other,
}

/// <summary>One file of an archive; folders are not listed.</summary>
/// <param name="Path">With '/' between folders, no leading './'; unique in its archive.</param>
/// <param name="Bytes">Length in bytes as counted by reading it (rubbish is never read: its claimed length).</param>
/// <param name="Kind">What it is to a training.</param>
/// <param name="Content">What its first bytes say it is.</param>
/// <param name="Skipped">Why it is left out, as half a sentence ("is named .jpg but holds HTML"); null where it is used.</param>
public sealed record ArchiveEntry(string Path, long Bytes, ArchiveEntryKind Kind, ContentKind Content, string? Skipped = null);
