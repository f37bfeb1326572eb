using Sdxl.Core.Archives;
using Sdxl.Core.Encodings;

namespace Sdxl.Core.Captions;

/// <summary>
/// The texts of an archive's caption files, decoded: Unicode as it is, the rest by one guess over all of them and the files' names. Each
/// guess is said with the text that came of it: only its author can tell whether it is right.
/// </summary>
internal sealed class CaptionTexts
{
    private const int MaxTableBytes = 4 << 20, MaxBesideBytes = 64 << 10;
    private const int ShownLetters = 40;

    private readonly Dictionary<string, string> texts = new(StringComparer.Ordinal);
    private readonly List<string> warnings = [];

    private CaptionTexts() { }

    /// <summary>One sentence for each file that is no Unicode, or too long.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>The file's text; null where it could not be read, of which the warnings tell.</summary>
    public string? Of(string path) => texts.GetValueOrDefault(path);

    public static CaptionTexts Read(Archive archive)
    {
        var read = new CaptionTexts();
        var open = new List<(string Path, byte[] Bytes)>();
        var tables = archive.Contents.CaptionFilePaths.Select(path => (path, MaxTableBytes));
        var besides = archive.Contents.Pictures.Select(picture => picture.CaptionTextPath).OfType<string>().Distinct()
            .Select(path => (path, MaxBesideBytes));
        foreach (var (path, maxBytes) in tables.Concat(besides))
        {
            try
            {
                var bytes = archive.ReadSmall(path, maxBytes);
                if (UnicodeText.TryDecode(bytes) is { } text)
                    read.texts[path] = text;
                else
                    open.Add((path, bytes));
            }
            catch (InvalidDataException e)
            {
                read.warnings.Add(e.Message);
            }
        }
        var pages = CodePageGuess.OfTexts([.. open.Select(file => file.Bytes)], archive.NamesCodePage);
        foreach (var ((path, bytes), page) in open.Zip(pages))
        {
            (read.texts[path], var warning) = Decode(path, bytes, page);
            read.warnings.Add(warning);
        }
        return read;
    }

    /// <summary>A file for itself.</summary>
    public static (string Text, string? Warning) Decode(string path, byte[] bytes) =>
        UnicodeText.TryDecode(bytes) is { } text ? (text, null) : Decode(path, bytes, CodePageGuess.OfTexts([bytes])[0]);

    private static (string Text, string Warning) Decode(string path, byte[] bytes, CodePage? page)
    {
        // The guess saw the beginning only: further on a byte may mean nothing in that page.
        var text = page?.TryDecode(bytes);
        return text is not null
            ? (text, $"Caption file '{path}' is not UTF-8; it is read as {page}: \"{Shown(text)}\". Save it as UTF-8 if that is wrong.")
            : (
                System.Text.Encoding.Latin1.GetString(bytes),
                $"Caption file '{path}' is in an encoding that is not known, so its captions may be garbled: "
                    + $"\"{Shown(System.Text.Encoding.Latin1.GetString(bytes))}\". Save it as UTF-8."
            );
    }

    /// <summary>The first words that are not plain ASCII, for those are in question.</summary>
    private static string Shown(string text)
    {
        var visible = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
        var foreign = Math.Max(0, visible.AsSpan().IndexOfAnyExceptInRange('\0', '\x7F'));
        var from = Math.Max(0, foreign - ShownLetters / 4);
        var length = Math.Min(ShownLetters, visible.Length - from);
        return (from > 0 ? "…" : "") + visible.Substring(from, length).Trim() + (from + length < visible.Length ? "…" : "");
    }
}
