using Sdxl.Core.Archives;
using Sdxl.Core.Datasets;

namespace Sdxl.Core.Captions;

/// <summary>A caption that the user gave for a picture, and where it stood.</summary>
public sealed record GivenCaption(string Text, CaptionSource Source);

/// <summary>
/// All captions that come with an archive: caption file first, else the text beside the picture. Pictures without one are captioned by
/// BLIP. Marks of drawing programs ("(TOK:1.3)", "&lt;lora:…&gt;") are taken out of them.
/// </summary>
/// <param name="ByPicture">Picture's path in the archive -> its caption as the user wrote it (<see cref="CaptionComposer.FromUser"/> comes
/// after).</param>
/// <param name="Warnings">For the pairing report, one sentence each.</param>
public sealed record ArchiveCaptions(IReadOnlyDictionary<string, GivenCaption> ByPicture, IReadOnlyList<string> Warnings)
{
    private const int Named = 5;

    /// <summary>The caption given for a picture and its source; null and Blip where none is given.</summary>
    public (string? Text, CaptionSource Source) Of(string picturePath) =>
        ByPicture.TryGetValue(picturePath, out var given) ? (given.Text, given.Source) : (null, CaptionSource.Blip);

    public static ArchiveCaptions Read(Archive archive)
    {
        var pictures = archive.Contents.Pictures;
        var paths = pictures.Select(picture => picture.Path).ToList();
        var texts = CaptionTexts.Read(archive);
        var warnings = new List<string>(texts.Warnings);
        List<CaptionTable> tables = [.. archive.Contents.CaptionFilePaths.Where(path => texts.Of(path) is not null)
            .Select(path => CaptionFile.Read(texts.Of(path)!, path, paths))];
        var pairing = CaptionPairing.Join(tables, paths);
        warnings.AddRange(pairing.Warnings);
        var captions = pairing.Captions.ToDictionary(
            pair => pair.Key,
            pair => new GivenCaption(pair.Value.Caption, CaptionSource.CaptionFile),
            StringComparer.Ordinal
        );
        var unused = new List<string>();
        foreach (var picture in pictures)
        {
            if (picture.CaptionTextPath is not { } path || texts.Of(path) is not { } text)
                continue;
            if (CaptionText.Read(text, path, out var problem) is not { } caption)
                warnings.Add(
                    $"Caption text '{path}' {problem}; "
                        + $"{(captions.ContainsKey(picture.Path) ? "the caption file's counts" : "a caption is made automatically")}."
                );
            else if (
                !captions.TryAdd(picture.Path, new GivenCaption(caption, CaptionSource.TextFile))
                && captions[picture.Path].Text != caption
            )
                unused.Add(path);
        }
        if (unused.Count > 0)
            warnings.Add(
                $"{Listed(unused)}: not used, for the caption file has a caption for "
                    + $"{(unused.Count == 1 ? "that picture" : "each of these pictures")}."
            );
        if (tables.Any(table => table.Rows.Count > 0) && captions.Count < pictures.Count)
            warnings.Add($"No caption is given for {Listed([.. paths.Where(path => !captions.ContainsKey(path))])}; made automatically.");
        foreach (var path in paths.Where(captions.ContainsKey))
        {
            var (text, warning) = CaptionMarkup.TakeOut(captions[path].Text);
            captions[path] = captions[path] with { Text = text };
            if (warning is not null)
                warnings.Add($"Caption of '{path}': {warning}");
        }
        return new ArchiveCaptions(captions, warnings);
    }

    private static string Listed(List<string> paths) =>
        string.Join(", ", paths.Take(Named).Select(path => $"'{path}'")) + (paths.Count > Named ? $" and {paths.Count - Named} more" : "");
}
