using System.Globalization;
using System.Text;

namespace Sdxl.Core.Text;

/// <summary>Unicode canonical composition (normalization form C), independent of ICU.</summary>
/// <remarks>
/// string.Normalize() returns its input unchanged where .NET runs without ICU (InvariantGlobalization), and a tokenizer
/// must not depend on that. Source: Unicode Standard Annex 15; data: nfc.txt, made by tools/make_nfc.py.
/// </remarks>
public static class UnicodeNfc
{
    // Hangul syllables are composed by arithmetic: Unicode Standard, section 3.12.
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, SyllableCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<Tables> s_tables = new(Tables.Read);

    /// <summary>The text in form C; a lone surrogate becomes U+FFFD.</summary>
    public static string Normalize(string text)
    {
        // Below U+0300 nothing combines and nothing has another canonical form.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF'))
            return text;

        var tables = s_tables.Value;
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, tables, points);
        Reorder(points, tables);
        Compose(points, tables);

        var result = new StringBuilder(points.Count);
        foreach (var point in points)
            result.Append(new Rune(point).ToString());
        return result.ToString();
    }

    private static void Decompose(int point, Tables tables, List<int> into)
    {
        var syllable = point - SyllableBase;
        if (syllable is >= 0 and < SyllableCount)
        {
            into.Add(LeadBase + syllable / (VowelCount * TrailCount));
            into.Add(VowelBase + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount != 0)
                into.Add(TrailBase + syllable % TrailCount);
        }
        else if (tables.Decompositions.TryGetValue(point, out var parts))
        {
            foreach (var part in parts)
                Decompose(part, tables, into);
        }
        else
        {
            into.Add(point);
        }
    }

    /// <summary>Sorts each run of combining marks by class, keeping the order of equal ones.</summary>
    private static void Reorder(List<int> points, Tables tables)
    {
        for (var i = 1; i < points.Count; i++)
        {
            var own = tables.ClassOf(points[i]);
            if (own == 0)
                continue;
            for (var j = i; j > 0 && tables.ClassOf(points[j - 1]) > own; j--)
                (points[j - 1], points[j]) = (points[j], points[j - 1]);
        }
    }

    private static void Compose(List<int> points, Tables tables)
    {
        var starter = -1;                                               // index in the output
        var lastClass = 0;
        var written = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var point = points[i];
            var own = tables.ClassOf(point);
            var blocked = starter >= 0 && written > starter + 1 && (lastClass >= own);
            if (starter >= 0 && !blocked && TryCompose(points[starter], point, tables, out var composite))
            {
                points[starter] = composite;
                continue;
            }
            points[written] = point;
            if (own == 0)
                starter = written;
            lastClass = own;
            written++;
        }
        points.RemoveRange(written, points.Count - written);
    }

    private static bool TryCompose(int first, int second, Tables tables, out int composite)
    {
        var (lead, vowel) = (first - LeadBase, second - VowelBase);
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            composite = SyllableBase + (lead * VowelCount + vowel) * TrailCount;
            return true;
        }
        var (syllable, trail) = (first - SyllableBase, second - TrailBase);
        if (syllable is >= 0 and < SyllableCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
        {
            composite = first + trail;
            return true;
        }
        return tables.Composites.TryGetValue((first, second), out composite);
    }

    private sealed class Tables
    {
        public Dictionary<int, int[]> Decompositions { get; } = [];

        public Dictionary<(int First, int Second), int> Composites { get; } = [];

        private readonly Dictionary<int, int> _classes = [];

        public int ClassOf(int point) => _classes.GetValueOrDefault(point);

        public static Tables Read()
        {
            var tables = new Tables();
            using var stream =
                typeof(UnicodeNfc).Assembly.GetManifestResourceStream("Sdxl.Core.Text.nfc.txt")
                ?? throw new InvalidOperationException(
                    "Sdxl.Core.dll lacks its resource Sdxl.Core.Text.nfc.txt: build it again from core/Sdxl.Core.csproj."
                );
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                var words = line.Split(' ');
                switch (words[0])
                {
                    case "c": tables._classes[Hex(words[1])] = int.Parse(words[2], CultureInfo.InvariantCulture); break;
                    case "d": tables.Decompositions[Hex(words[1])] = [.. words[2..].Select(Hex)]; break;
                    case "p": tables.Composites[(Hex(words[1]), Hex(words[2]))] = Hex(words[3]); break;
                }
            }
            return tables;
        }

        private static int Hex(string word) => int.Parse(word, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
