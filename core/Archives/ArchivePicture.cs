using Sdxl.Core.Datasets;

namespace Sdxl.Core.Archives;

/// <summary>One picture of an archive with what stands beside it.</summary>
/// <param name="Key">Short name, unique in the archive, of lower-case letters, digits and '-': fit for blob names and messages.</param>
/// <param name="Path">Where it is in the archive.</param>
/// <param name="Format">Told by its first bytes.</param>
/// <param name="Bytes">Length in bytes.</param>
/// <param name="MaskPath">The picture NAME_mask.* beside it; null where there is none.</param>
/// <param name="CaptionTextPath">The file beside it that holds its caption (NAME.txt, NAME.caption, NAME.json, NAME.png.txt); null where
/// there is none.</param>
public sealed record ArchivePicture(string Key, string Path, ContentKind Format, long Bytes, string? MaskPath, string? CaptionTextPath)
{
    /// <summary>The file's name without its folders.</summary>
    public string Name => EntryPaths.FileName(Path);
}

/// <summary>
/// What an archive holds for a training. Every file is in exactly one place: a picture (or its mask or caption), a caption file, the
/// settings, or skipped.
/// </summary>
/// <param name="Pictures">In the order of their paths, at least one.</param>
/// <param name="CaptionFilePaths">Tables of captions (caption.csv, metadata.jsonl); usually none or one.</param>
/// <param name="SettingsPath">The training.json nearest to the root; null where there is none.</param>
/// <param name="Skipped">What is left out; the rubbish of operating systems is not listed.</param>
/// <param name="Warnings">What is used but looks odd, one sentence each.</param>
public sealed record ArchiveContents(
    IReadOnlyList<ArchivePicture> Pictures,
    IReadOnlyList<string> CaptionFilePaths,
    string? SettingsPath,
    IReadOnlyList<SkippedFile> Skipped,
    IReadOnlyList<string> Warnings);
