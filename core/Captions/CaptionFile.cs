using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using Sdxl.Core.Archives;
using Sdxl.Core.Text;

namespace Sdxl.Core.Captions;

/// <summary>
/// Reads a caption file as people and programs write it: comma, semicolon, tab or bar; quotes, or none round captions with commas; any line
/// ends; columns by header, else told by which of them holds names of pictures, else caption first as Replicate has it. Excel's first line
/// "sep=;" names the delimiter. Files *.jsonl and *.json are read as <see cref="CaptionJson"/> has it.
/// </summary>
public static class CaptionFile
{
    private static readonly string[] CaptionHeaders = ["caption", "captions", "text", "prompt", "description", "label", "title"];
    private static readonly string[] PictureHeaders =
    [
        "imagefile",
        "filename",
        "image",
        "file",
        "imagename",
        "imagefilename",
        "imagepath",
        "filepath",
        "path",
        "picture",
        "picturefile",
        "photo",
        "name",
    ];
    private static readonly string[] PictureExtensions =
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".avif",
    ];
    private static readonly char[] Delimiters = [',', ';', '\t', '|'];

    /// <param name="bytes">The whole file.</param>
    /// <param name="name">Its path in the archive, for messages.</param>
    /// <param name="picturePaths">The archive's pictures: they tell which column names pictures where no header does.</param>
    public static CaptionTable Read(ReadOnlySpan<byte> bytes, string name, IReadOnlyCollection<string> picturePaths)
    {
        var (text, warning) = CaptionTexts.Decode(name, bytes.ToArray());
        var table = Read(text, name, picturePaths);
        return warning is null ? table : table with { Warnings = [warning, .. table.Warnings] };
    }

    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, string, IReadOnlyCollection{string})"/>
    /// <param name="text">The whole file, decoded.</param>
    public static CaptionTable Read(string text, string name, IReadOnlyCollection<string> picturePaths)
    {
        if (string.IsNullOrWhiteSpace(text))
            return new CaptionTable([], [$"Caption file '{name}' is empty: captions are made automatically."]);
        if (EntryPaths.Extension(name) is ".jsonl" or ".ndjson" or ".json")
            return CaptionJson.Read(text, name, isLines: EntryPaths.Extension(name) != ".json");
        var (declared, firstLine) = TakeSeparatorLine(ref text);
        var known = new HashSet<string>(picturePaths.SelectMany(path => new[] { Stem(Folded(path)), Base(Folded(path)) }),
            StringComparer.OrdinalIgnoreCase);
        // The delimiter is the one under which most rows name a picture; comma wins a tie.
        var (records, columns) = (declared is { } only ? [only] : Delimiters)
            .Select(delimiter => Split(text, delimiter, firstLine))
            .Select(split => (Records: split, Columns: FindColumns(split, known)))
            .MaxBy(candidate => candidate.Columns.Score);
        var warnings = new List<string>();
        if (CaptionFileNames.IsMetadata(name) && !columns.NamesBoth)
        {
            warnings.Add(
                $"'{name}' has no columns file_name and text, so it is not used: if it holds captions, name its columns so, or call it "
                    + "caption.csv."
            );
            return new CaptionTable([], warnings);
        }
        if (columns.Picture < 0)
        {
            warnings.Add($"Caption file '{name}' has no column with the pictures' names, so its captions cannot be told apart: "
                + "give it the columns caption,image_file. Captions are made automatically.");
            return new CaptionTable([], warnings);
        }
        var rows = new List<CaptionRow>();
        foreach (var (line, fields) in records.Skip(columns.HasHeader ? 1 : 0))
        {
            if (ReadRow(name, line, fields, columns, known) is { } row)
                rows.Add(row);
            else
                warnings.Add(
                    $"Caption file '{name}', line {line}: has {Plural.Of(fields.Length, "column")} where caption and picture are expected; "
                        + "the line is left out."
                );
        }
        return new CaptionTable(rows, warnings);
    }

    private static CaptionRow? ReadRow(string name, int line, string[] fields, Columns columns, HashSet<string> known)
    {
        if (fields.Length > columns.Count)
        {
            // A caption with commas that nobody quoted: the picture's name is at one end, all the rest is the caption.
            var (picture, caption) = columns.Picture > columns.Caption || !NamesPicture(fields[0], known) && NamesPicture(fields[^1], known)
                ? (fields[^1], string.Join(", ", fields[..^1]))
                : (fields[0], string.Join(", ", fields[1..]));
            if (columns.Count == 2 && NamesPicture(picture, known))
                return new CaptionRow(name, line, picture, OneLine(caption));
        }
        return fields.Length > Math.Max(columns.Picture, columns.Caption)
            ? new CaptionRow(name, line, fields[columns.Picture], OneLine(fields[columns.Caption]))
            : null;
    }

    /// <summary>Takes Excel's "sep=;" off the beginning.</summary>
    /// <returns>The delimiter that it names, and the number of the first line that is left.</returns>
    private static (char? Delimiter, int FirstLine) TakeSeparatorLine(ref string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        var line = (end < 0 ? text : text[..end]).Trim(' ', '"');
        if (end < 0 || line.Length != 5 || !line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase))
            return (null, 1);
        text = text[(end + (text.AsSpan(end).StartsWith("\r\n") ? 2 : 1))..];
        return (line[4], 2);
    }

    private static List<(int Line, string[] Fields)> Split(string text, char delimiter, int firstLine)
    {
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            HasHeaderRecord = false,
            BadDataFound = null, // a quote in the middle of a caption is a quote
            MissingFieldFound = null,
            DetectColumnCountChanges = false,
            IgnoreBlankLines = false, // they count as lines; Split leaves them out
            TrimOptions = TrimOptions.Trim,
        };
        using var parser = new CsvParser(new StringReader(text), configuration);
        var records = new List<(int, string[])>();
        var nextLine = firstLine;
        while (parser.Read())
        {
            // RawRow is the record's last line; a quoted caption may hold line breaks. Spaces inside stay: a file's name may have two in a
            // row.
            var fields = (parser.Record ?? []).Select(field => field.Trim()).ToArray();
            var lines = parser.RawRecord.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
            if (lines.Length > 1 && fields.Length < 2)
            {
                // A quote that is never closed has swallowed the lines below it: quotes mean nothing here.
                records.AddRange(
                    lines
                        .Select((line, i) => (nextLine + i, line.Split(delimiter).Select(field => field.Trim().Trim('"').Trim()).ToArray()))
                        .Where(line => line.Item2.Any(field => field.Length > 0))
                );
            }
            else if (fields.Any(field => field.Length > 0))
                records.Add((nextLine, fields));
            nextLine = parser.RawRow + firstLine;
        }
        return records;
    }

    /// <summary>Which column is which; Picture is -1 where none names pictures.</summary>
    private sealed record Columns(int Caption, int Picture, int Count, bool HasHeader, double Score, bool NamesBoth = false);

    private static Columns FindColumns(List<(int Line, string[] Fields)> records, HashSet<string> known)
    {
        if (records.Count == 0)
            return new Columns(0, -1, 0, false, -1);
        var first = records[0].Fields;
        var header = first.Select(field => string.Concat(field.Where(char.IsLetterOrDigit)).ToLowerInvariant()).ToList();
        var caption = header.FindIndex(field => CaptionHeaders.Contains(field));
        var picture = header.FindIndex(field => PictureHeaders.Contains(field));
        var count = first.Length;
        var names = Enumerable
            .Range(0, count)
            .Select(column => records.Count(record => column < record.Fields.Length && NamesPicture(record.Fields[column], known)))
            .ToArray();
        // A picture may be called "caption.jpg" or "file": a first line that names a picture of the archive is no header.
        var hasHeader = (caption >= 0 || picture >= 0) && !first.Any(field => NamesPicture(field, known) && field.Contains('.'));
        if (!hasHeader)
            caption = picture = -1;
        if (hasHeader && caption >= 0 && picture >= 0)
            return new Columns(caption, picture, count, true, 1000
                + records.Count(record => record.Fields.Length > picture && NamesPicture(record.Fields[picture], known)), NamesBoth: true);
        if (count < 2)
            return new Columns(0, -1, count, hasHeader, 0);
        if (picture < 0)
        {
            var best = Enumerable.Range(0, count).Where(column => column != caption).MaxBy(column => names[column]);
            picture = names[best] > 0 ? best : caption == 1 ? 0 : 1; // by order: caption, picture
        }
        if (caption < 0)
            caption = Enumerable
                .Range(0, count)
                .Where(column => column != picture)
                .MaxBy(column => records.Sum(record => column < record.Fields.Length ? record.Fields[column].Length : 0));
        var usable = names[picture] > 0 || hasHeader || records.Count(record => record.Fields.Length == 2) > records.Count / 2;
        return new Columns(
            caption,
            usable ? picture : -1,
            count,
            hasHeader,
            (hasHeader ? 100 : 0) + names[picture] + (names[picture] == 0 ? 0.001 : 0)
        );
    }

    private static bool NamesPicture(string field, HashSet<string> known)
    {
        var name = Base(Folded(field).Replace('\\', '/'));
        return known.Contains(name)
            || known.Contains(Stem(name))
            || PictureExtensions.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));
    }

    private static string OneLine(string field) => CaptionText.OneLine(field) ?? "";

    private static string Folded(string path) => FoldedNames.Spaces(path);

    private static string Base(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string Stem(string path) => Base(path) is var name && name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;
}
