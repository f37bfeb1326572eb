using Sdxl.Core.Archives;
using Sdxl.Core.Datasets;

namespace Sdxl.Core.Captions;

/// <summary>A caption that the user gave for a picture, and where it stood.</summary>
public sealed record GivenCaption(string Text, CaptionSource Source);

/// <summary>All captions that come with an archive: caption file first, else NAME.txt beside the picture. Pictures without one are captioned by BLIP.</summary>
/// <param name="ByPicture">Picture's path in the archive -> its caption as the user wrote it (<see cref="CaptionComposer.FromUser"/> comes after).</param>
/// <param name="Warnings">For the pairing report, one sentence each.</param>
public sealed record ArchiveCaptions(IReadOnlyDictionary<string, GivenCaption> ByPicture, IReadOnlyList<string> Warnings)
{
    /// <summary>The caption given for a picture and its source; null and Blip where none is given.</summary>
    public (string? Text, CaptionSource Source) Of(string picturePath) =>
        ByPicture.TryGetValue(picturePath, out var given) ? (given.Text, given.Source) : (null, CaptionSource.Blip);

    public static ArchiveCaptions Read(Archive archive)
    {
        var pictures = archive.Contents.Pictures;
        var paths = pictures.Select(picture => picture.Path).ToList();
        var warnings = new List<string>();
        var tables = new List<CaptionTable>();
        foreach (var path in archive.Contents.CaptionFilePaths)
        {
            if (TryRead(archive, path, warnings) is { } bytes)
                tables.Add(CaptionFile.Read(bytes, path, paths));
        }
        var pairing = CaptionPairing.Join(tables, paths);
        warnings.AddRange(pairing.Warnings);
        var captions = pairing.Captions.ToDictionary(pair => pair.Key, pair => new GivenCaption(pair.Value.Caption, CaptionSource.CaptionFile), StringComparer.Ordinal);
        foreach (var picture in pictures.Where(picture => picture.CaptionTextPath is not null && !captions.ContainsKey(picture.Path)))
        {
            if (TryRead(archive, picture.CaptionTextPath!, warnings) is not { } bytes)
                continue;
            if (CaptionText.Read(bytes) is { } text)
                captions.Add(picture.Path, new GivenCaption(text, CaptionSource.TextFile));
            else
                warnings.Add($"Caption text '{picture.CaptionTextPath}' is empty; a caption is made automatically.");
        }
        if (tables.Count > 0 && captions.Count < pictures.Count)
        {
            var without = paths.Where(path => !captions.ContainsKey(path)).ToList();
            var more = without.Count > 5 ? $" and {without.Count - 5} more" : "";
            warnings.Add($"No caption is given for {string.Join(", ", without.Take(5).Select(path => $"'{path}'"))}{more}; made automatically.");
        }
        return new ArchiveCaptions(captions, warnings);
    }

    private static byte[]? TryRead(Archive archive, string path, List<string> warnings)
    {
        try
        {
            return archive.ReadSmall(path);
        }
        catch (InvalidDataException e)
        {
            warnings.Add(e.Message);
            return null;
        }
    }
}
