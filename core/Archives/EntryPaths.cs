namespace Sdxl.Core.Archives;

/// <summary>
/// Names inside archives: one spelling for each, and a verdict on those that would leave the folder they are unpacked into.
/// </summary>
internal static class EntryPaths
{
    private static readonly string[] RubbishNames =
    [
        ".DS_Store",
        "Thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "__MACOSX",
        "@eaDir",
        "$RECYCLE.BIN",
        "System Volume Information",
        "Icon\r",
        "pax_global_header",
    ];

    /// <summary>
    /// Backslashes become '/', for old Windows tools separate folders so; "." and doubled separators vanish.
    /// </summary>
    public static string Normalise(string name) =>
        string.Join('/', name.Replace('\\', '/').Split('/').Where(segment => segment is not ("" or ".")));

    /// <summary>Why no file may have this name, as half a sentence; null where it is harmless.</summary>
    public static string? WhyUnsafe(string name)
    {
        var spelled = name.Replace('\\', '/');
        var segments = spelled.Split('/');
        if (spelled.StartsWith('/'))
            return "is an absolute path";
        if (segments[0].Length >= 2 && segments[0][1] == ':' && char.IsAsciiLetter(segments[0][0]))
            return "begins with a drive letter";
        if (segments.Contains(".."))
            return "leads out of the archive's folder with '..'";
        if (name.Any(char.IsControl))
            return "has a control character in its name";
        return spelled.Length > 1024 ? "has a name of more than 1024 characters" : null;
    }

    /// <summary>What macOS, Windows and file managers leave in archives; hidden files and folders count as well.</summary>
    public static bool IsRubbish(string path) => path.Split('/').Any(segment =>
        segment.StartsWith('.') || RubbishNames.Contains(segment, StringComparer.OrdinalIgnoreCase));

    public static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];

    public static string Folder(string path) => path.LastIndexOf('/') is >= 0 and var slash ? path[..slash] : "";

    /// <summary>The file's name without folder and extension.</summary>
    public static string Stem(string path)
    {
        var name = FileName(path);
        return name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;
    }

    /// <summary>Lower case, with the dot; "" where there is none.</summary>
    public static string Extension(string path)
    {
        var name = FileName(path);
        return name.LastIndexOf('.') is > 0 and var dot ? name[dot..].ToLowerInvariant() : "";
    }

    /// <summary>A name for a message: quoted, control characters made visible, shortened in the middle.</summary>
    public static string Quote(string name)
    {
        var visible = string.Concat(name.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter));
        return visible.Length <= 80 ? $"'{visible}'" : $"'{visible[..50]}…{visible[^25..]}'";
    }
}
