namespace Sdxl.Core.Archives;

/// <summary>By which names caption files are known: tables of all pictures' captions, and texts beside single pictures.</summary>
internal static class CaptionFileNames
{
    private static readonly string[] s_tables = [".csv", ".tsv", ".jsonl", ".ndjson", ".json"];

    /// <summary>Extensions of a text beside its picture, the one that counts first: plain, kohya's default, other tools' JSON.</summary>
    private static readonly string[] s_besides = [".txt", ".caption", ".captions", ".cap", ".json"];

    /// <summary>caption.csv, my captions.tsv, meta_cap.json (kohya); metadata.csv and metadata.jsonl (Hugging Face).</summary>
    public static bool IsTable(string path)
    {
        var name = EntryPaths.FileName(path);
        var extension = EntryPaths.Extension(path);
        return s_tables.Contains(extension) && (name.Contains("caption", StringComparison.OrdinalIgnoreCase) || IsMetadata(path));
    }

    /// <summary>A table that may hold captions and may be about something else: its columns decide.</summary>
    public static bool IsMetadata(string path) =>
        s_tables.Contains(EntryPaths.Extension(path)) && EntryPaths.Stem(path).ToLowerInvariant()
            is "metadata" or "meta_cap" or "meta_lat" or "meta_clean";

    /// <summary>Place in the order of preference, from 0; -1 where the name is of no caption text.</summary>
    public static int Preference(string path) => Array.IndexOf(s_besides, EntryPaths.Extension(path));
}
