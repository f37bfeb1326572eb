using System.Text;
using Sdxl.Core.Encodings;

namespace Sdxl.Core.Archives;

/// <summary>
/// What the entries of a zip are called. In this order: the UTF-8 that an entry declares, Info-ZIP's Unicode path, UTF-8 where all other
/// names are such, one code page guessed over all of them together with the caption files, code page 437.
/// </summary>
internal static class ZipNames
{
    /// <param name="names">In the directory's order.</param>
    /// <param name="readCaptionFiles">Reads the texts that may name the pictures; asked only where names need a guess.</param>
    /// <param name="page">The page that was guessed; null where nothing had to be.</param>
    public static IReadOnlyList<string> Decode(IReadOnlyList<ZipName> names, Func<IReadOnlyList<byte[]>> readCaptionFiles,
        out CodePage? page)
    {
        page = null;
        var decoded = names.Select(name => Declared(name) ?? (Ascii.IsValid(name.Bytes) ? Encoding.ASCII.GetString(name.Bytes)
            : null)).ToArray();
        var open = Enumerable.Range(0, names.Count).Where(i => decoded[i] is null).ToList();
        if (open.Count == 0)
            return decoded!;
        // macOS writes UTF-8 and does not say so. Two bytes of a Chinese name may look like it, so it counts only where all names do.
        if (open.TrueForAll(i => UnicodeText.TryUtf8(names[i].Bytes) is not null))
        {
            foreach (var i in open)
                decoded[i] = UnicodeText.TryUtf8(names[i].Bytes);
            return decoded!;
        }
        page = CodePageGuess.OfNames([.. open.Select(i => names[i].Bytes)], readCaptionFiles()) ?? CodePage.Cp437;
        if (open.Select(i => Convert.ToHexString(names[i].Bytes)).Distinct().Count() != DistinctIn(page))
            page = CodePage.Cp437; // in which every byte is a letter of its own: two files stay two
        foreach (var i in open)
            decoded[i] = page.TryDecode(names[i].Bytes);
        return decoded!;

        int DistinctIn(CodePage guessed) => open.Select(i => guessed.TryDecode(names[i].Bytes)).Where(name => name is not null)
            .Distinct(StringComparer.Ordinal).Count();
    }

    private static string? Declared(ZipName name) =>
        (name.UnicodePath is { } path ? UnicodeText.TryUtf8(path) : null) ?? (name.IsUtf8 ? Encoding.UTF8.GetString(name.Bytes) : null);
}
