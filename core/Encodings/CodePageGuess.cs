using System.Text;

namespace Sdxl.Core.Encodings;

/// <summary>Tells the code page of file names and texts that are no UTF-8, from all of them together: one alone is often too short to
/// tell.</summary>
public static class CodePageGuess
{
    /// <summary>Of each text so much is looked at, bytes.</summary>
    public const int SampleBytes = 8 << 10;

    private const double WorthOfJoinedName = 20; // nats: that a table names a file as it is then called is hardly chance
    private const double OtherLanguage = 6;
    private const double OwnOpinion = 12;        // a file leaves the common guess only for a much better one
    private const double NoLanguagesText = 10.5; // nats a foreign byte: whatever it is, these pages do not make sense of it
    private const int NamesLookedAt = 300;

    /// <summary>The page of an archive's names; null: none makes sense of all.</summary>
    /// <param name="names">As bytes, those that hold more than ASCII.</param>
    /// <param name="texts">The archive's caption files, whatever they are written in: they name the files, and are often of the same
    /// page.</param>
    public static CodePage? OfNames(IReadOnlyCollection<byte[]> names, IReadOnlyCollection<byte[]> texts)
    {
        var looked = names.Take(NamesLookedAt).ToList();
        var read = texts.Select(text => UnicodeText.TryDecode(text)).OfType<string>().ToList();
        var foreign = texts.Where(text => UnicodeText.TryDecode(text) is null).Select(Sample).ToList();
        var ofTexts = Candidates(foreign, page => page.TextPrior)
            .Select(c => (Page: (CodePage?)c.Page, c.Cost, Words: WordsOf([.. read, .. c.Texts]))).ToList();
        if (ofTexts.Count == 0)
            ofTexts.Add((null, 0, WordsOf(read)));
        return Best(
            from name in Candidates(looked, page => page.NamePrior)
            let bases = name.Texts.Select(NameIn).ToList()
            from text in ofTexts
            let joined = bases.Count(text.Words.Contains)
            let language = text.Page is null || text.Page.Language == name.Page.Language ? 0 : OtherLanguage
            select (name.Page, name.Cost + text.Cost + language - joined * WorthOfJoinedName, joined > 0
                || IsPlausible(name.Cost, name.Texts, looked)));
    }

    /// <summary>The page of each text; null: none makes sense of it. One guess over all, and another only for a text that plainly has
    /// another.</summary>
    /// <param name="texts">Texts that are no UTF-8, as bytes.</param>
    /// <param name="names">The page of the names beside them, if they have one.</param>
    public static IReadOnlyList<CodePage?> OfTexts(IReadOnlyList<byte[]> texts, CodePage? names = null)
    {
        double Prior(CodePage page) => page.TextPrior + (names is null || names.Language == page.Language ? 0 : OtherLanguage);
        var samples = texts.Select(Sample).ToList();
        var common = Best(Candidates(samples, Prior).Select(c => (c.Page, c.Cost, true)));
        return [.. samples.Select(sample =>
        {
            var own = Candidates([sample], Prior).Select(c =>
                (c.Page, c.Cost - (c.Page == common ? OwnOpinion : 0), IsPlausible(c.Cost, c.Texts, [sample])));
            return Best(own);
        })];
    }

    private static CodePage? Best(IEnumerable<(CodePage Page, double Cost, bool IsPlausible)> candidates) =>
        candidates.DefaultIfEmpty().MinBy(c => c.Page is null ? double.MaxValue : c.Cost) is { IsPlausible: true } best ? best.Page : null;

    /// <summary>The pages in which all of the samples mean something, and what they say.</summary>
    private static IEnumerable<(CodePage Page, double Cost, List<string> Texts)> Candidates(IReadOnlyCollection<byte[]> samples,
        Func<CodePage, double> prior)
    {
        foreach (var page in CodePage.All.Where(_ => samples.Count > 0))
        {
            var texts = samples.Select(sample => page.TryDecode(sample)).OfType<string>().ToList();
            if (texts.Count == samples.Count)
                yield return (page, prior(page) + texts.Sum(page.CostOf), texts);
        }
    }

    private static bool IsPlausible(double cost, List<string> texts, IReadOnlyCollection<byte[]> samples)
    {
        var ascii = texts.Sum(text => text.Count(letter => letter < 0x80)) * LetterCosts.Ascii;
        var foreignBytes = samples.Sum(sample => sample.Count(value => value >= 0x80));
        return cost - ascii <= NoLanguagesText * Math.Max(1, foreignBytes);
    }

    private static HashSet<string> WordsOf(IEnumerable<string> texts) => [.. texts
        .SelectMany(text => text.Split([',', ';', '\t', '|', '"', '\r', '\n', ':', '{', '}'],
            StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        .Select(NameIn)];

    /// <summary>A file's name without folders and in one spelling.</summary>
    private static string NameIn(string path)
    {
        var name = Text.UnicodeNfc.Normalize(path).Replace('\\', '/');
        return name[(name.LastIndexOf('/') + 1)..].ToLowerInvariant();
    }

    private static byte[] Sample(byte[] bytes) => bytes.Length <= SampleBytes ? bytes : bytes[..SampleBytes];
}
