using Sdxl.Core.Text;

namespace Sdxl.Core.Captions;

/// <summary>Which caption belongs to which picture, by name and never by position.</summary>
/// <param name="Captions">Picture's path in the archive -> the row that captions it.</param>
/// <param name="Uncaptioned">Pictures without a row, in the order given.</param>
/// <param name="Warnings">What did not fit, one sentence each: rows for pictures that are not there, ambiguous names, second rows.</param>
public sealed record CaptionPairing(
    IReadOnlyDictionary<string, CaptionRow> Captions, IReadOnlyList<string> Uncaptioned, IReadOnlyList<string> Warnings)
{
    /// <summary>
    /// Joins rows to pictures: the path from the table's own folder, the path as given, else the end of the path, then both without regard
    /// to case, then the file's name alone, then the name without extension; at last all of it again with every kind of space and quote
    /// alike (macOS puts U+202F into the names of screenshots). Each step counts only where it leaves exactly one picture.
    /// </summary>
    public static CaptionPairing Join(IEnumerable<CaptionTable> tables, IReadOnlyList<string> picturePaths)
    {
        var captions = new Dictionary<string, CaptionRow>(StringComparer.Ordinal);
        var warnings = new List<string>();
        var pictures = picturePaths.Select(path => new Candidate(path)).ToList();
        foreach (var table in tables)
        {
            warnings.AddRange(table.Warnings);
            foreach (var row in table.Rows)
                Join(row, pictures, captions, warnings);
        }
        return new CaptionPairing(captions, [.. picturePaths.Where(path => !captions.ContainsKey(path))], warnings);
    }

    private static void Join(CaptionRow row, List<Candidate> pictures, Dictionary<string, CaptionRow> captions, List<string> warnings)
    {
        var where = $"Caption file '{row.File}', line {row.Line}";
        if (row.Picture.Length == 0)
        {
            warnings.Add($"{where}: names no picture; the line is left out.");
            return;
        }
        var (found, exact) = Find(row.Picture, row.File, pictures);
        if (found.Count == 0)
            warnings.Add($"{where}: picture '{row.Picture}' is not in the archive; the line is left out.");
        else if (found.Count > 1)
            warnings.Add(
                $"{where}: picture '{row.Picture}' may be {string.Join(" or ", found.Take(3).Select(path => $"'{path}'"))}; write its "
                    + "path. The line is left out."
            );
        else if (row.Caption.Length == 0)
            warnings.Add($"{where}: picture '{row.Picture}' has an empty caption; one is made automatically.");
        else if (captions.TryGetValue(found[0], out var earlier))
        {
            if (!string.Equals(earlier.Caption, row.Caption, StringComparison.Ordinal))
                warnings.Add($"{where}: picture '{row.Picture}' has a caption already (line {earlier.Line}); the first counts.");
        }
        else
        {
            captions.Add(found[0], row);
            if (!exact)
                warnings.Add($"{where}: picture '{row.Picture}' is not in the archive, '{found[0]}' is taken for it.");
        }
    }

    private static (List<string> Found, bool Exact) Find(string name, string table, List<Candidate> pictures)
    {
        if (pictures.Find(picture => picture.Path == name) is { } same)
            return ([same.Path], true);
        var asked = new Candidate(name);
        var inFolder = new Candidate(table.LastIndexOf('/') is >= 0 and var slash ? $"{table[..slash]}/{name}" : name);
        (Func<Candidate, bool> Fits, bool Exact)[] steps =
        [
            // Two folders may have a table and a 0000.png each.
            (picture => picture.Full == inFolder.Full, true),
            (picture => picture.Full == asked.Full, true),
            (picture => picture.Full.EndsWith("/" + asked.Full, StringComparison.Ordinal), true),
            (picture => picture.Lower == inFolder.Lower, true),
            (picture => picture.Lower == asked.Lower, true),
            (picture => picture.Lower.EndsWith("/" + asked.Lower, StringComparison.Ordinal), true),
            // The row has a folder that the archive lacks: "C:/Users/me/Pictures/cat.jpg".
            (picture => picture.Base == asked.Base, true),
            (picture => picture.LowerBase == asked.LowerBase, true),
            // "cat" for cat.jpg is how many write it; "cat.png" for cat.jpg is worth a warning.
            (picture => picture.LowerStem == asked.LowerBase, true),
            (picture => picture.Folded == asked.Folded, true),
            (picture => picture.Folded.EndsWith("/" + asked.Folded, StringComparison.Ordinal), true),
            (picture => picture.FoldedBase == asked.FoldedBase, true),
            (picture => picture.FoldedStem == asked.FoldedBase, true),
            (picture => picture.LowerStem == asked.LowerStem, false),
        ];
        foreach (var (fits, exact) in steps)
        {
            var found = pictures.Where(fits).Select(picture => picture.Path).ToList();
            if (found.Count > 0)
                return (found, exact);
        }
        return ([], false);
    }

    /// <summary>
    /// A path in all the spellings in which it is compared. Composed Unicode: macOS writes "é" as two characters, tables mostly as one.
    /// </summary>
    private sealed class Candidate
    {
        public Candidate(string path)
        {
            Path = path;
            Full = string.Join(
                '/',
                UnicodeNfc
                    .Normalize(path)
                    .Replace('\\', '/')
                    .Split('/')
                    .Select(segment => segment.Trim())
                    .Where(segment => segment is not ("" or "."))
            );
            Lower = Full.ToLowerInvariant();
            Base = Full[(Full.LastIndexOf('/') + 1)..];
            LowerBase = Base.ToLowerInvariant();
            LowerStem = StemOf(LowerBase);
            Folded = FoldedNames.Fold(Lower);
            FoldedBase = Folded[(Folded.LastIndexOf('/') + 1)..];
            FoldedStem = StemOf(FoldedBase);
        }

        public string Path { get; }
        public string Full { get; }
        public string Lower { get; }
        public string Base { get; }
        public string LowerBase { get; }
        public string LowerStem { get; }
        public string Folded { get; }
        public string FoldedBase { get; }
        public string FoldedStem { get; }

        private static string StemOf(string name) => name.LastIndexOf('.') is > 0 and var dot ? name[..dot].TrimEnd() : name;
    }
}
