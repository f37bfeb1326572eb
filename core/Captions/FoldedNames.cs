using System.Globalization;
using System.Text;

namespace Sdxl.Core.Captions;

/// <summary>File names as people see and type them: what looks alike is alike.</summary>
internal static class FoldedNames
{
    /// <summary>Every run of white space as one space.</summary>
    public static string Spaces(string name) => string.Join(' ', name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Spaces, quotes and dashes in their plainest form, invisible marks gone, no space beside '/' or before the
    /// extension.</summary>
    public static string Fold(string name)
    {
        var plain = new StringBuilder(name.Length);
        foreach (var letter in name)
        {
            if (CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.Format)
                continue; // U+200B, U+200E, U+FEFF …
            plain.Append(letter switch
            {
                '\u2018' or '\u2019' or '\u02BC' or '\u00B4' or '`' => '\'',
                '\u201C' or '\u201D' => '"',
                >= '\u2010' and <= '\u2015' or '\u2212' => '-',
                _ => letter,
            });
        }
        var folded = Spaces(plain.ToString());
        return folded.Replace(" /", "/", StringComparison.Ordinal).Replace("/ ", "/", StringComparison.Ordinal)
            .Replace(" .", ".", StringComparison.Ordinal);
    }
}
