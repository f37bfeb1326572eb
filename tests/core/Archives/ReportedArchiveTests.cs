using Sdxl.Core.Archives;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Text;

namespace Sdxl.Tests.Core.Archives;

/// <summary>Archives after public bug reports of people who train (fixtures/reports): each with what must come of it.</summary>
public sealed class ReportedArchiveTests
{
    private static readonly ClipTokenizer s_tokenizer = ClipTokenizer.Load(TestPaths.Golden("clip-tokenizer"));

    private static Archive Open(string name) => ArchiveReader.Open(File.OpenRead(TestPaths.Fixture("reports", name)), name);

    /// <summary>Captions by the file's name, as they are trained with the trigger word TOK, and all warnings of archive and
    /// captions.</summary>
    private static (Dictionary<string, string> Captions, IReadOnlyList<string> Warnings) Read(string name)
    {
        using var archive = Open(name);
        var composed = ComposedCaptions.Of(ArchiveCaptions.Read(archive), new CaptionComposer("TOK", "a photo of TOK"),
            new CaptionLength("TOK", 2, s_tokenizer));
        return (composed.ByPicture.ToDictionary(pair => pair.Key.Split('/')[^1], pair => pair.Value.Text),
            [.. archive.Contents.Warnings, .. composed.Warnings]);
    }

    [Fact]
    public void A01_names_in_code_page_437_are_read_and_joined()
    {
        using var archive = Open("a01-cp437-names.zip");
        Assert.Equal(["Café.png", "Möller.png", "Müller.png", "Straße.png", "Çelik.png"], archive.Contents.Pictures
            .Select(picture => picture.Name).Order(StringComparer.Ordinal));
        var captions = ArchiveCaptions.Read(archive);
        Assert.Equal("a drawing of TOK number 1", captions.ByPicture["Ferien/Möller.png"].Text);
        Assert.Equal(5, captions.ByPicture.Count);
        Assert.Empty(captions.Warnings);
    }

    [Fact]
    public void A02_names_and_table_in_shift_jis_are_read_and_joined()
    {
        var (captions, warnings) = Read("a02-shift-jis-names.zip");
        Assert.Equal(
            [("cat.png", "TOK picture 4"), ("ソファ.png", "TOK picture 2"), ("犬.png", "TOK picture 0"), ("花.png", "TOK picture 1"),
                ("表紙.png", "TOK picture 3")],
            captions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value)));
        Assert.Contains("Japanese (code page 932)", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c01-odd-spaces-exact.zip")]
    [InlineData("c01-odd-spaces-typed.zip")]
    public void C01_names_with_odd_spaces_are_joined(string name)
    {
        var (captions, warnings) = Read(name);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"TOK caption number {i}"), captions.Values.Order(StringComparer.Ordinal));
        Assert.Equal("TOK caption number 2", captions["IMG  0001 (1).png"]);
        Assert.Empty(warnings);
    }

    [Fact]
    public void C02_kohyas_sidecars_are_captions()
    {
        var (captions, warnings) = Read("c02-kohya-sidecars.zip");
        Assert.Equal(
            ["TOK in red, kohya's default extension", "TOK in blue, full file name plus .txt", "TOK in green, UTF-16 with mark",
                "TOK in a JSON sidecar", "TOK with an upper-case TXT"],
            captions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Equal("Caption text '10_tok cat/f.txt' is empty; a caption is made automatically.", Assert.Single(warnings));
    }

    [Theory]
    [InlineData("c03-hf-metadata-csv.zip")]
    [InlineData("c03-hf-metadata-jsonl.zip")]
    public void C03_hugging_faces_metadata_holds_captions(string name)
    {
        var (captions, warnings) = Read(name);
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"a drawing of TOK, number {i}"), captions
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Empty(warnings);
    }

    [Fact]
    public void C04_excels_first_line_names_the_delimiter()
    {
        var (captions, warnings) = Read("c04-excel-sep.zip");
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"TOK; number {i} second line, \"quoted\""), captions
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Empty(warnings);
    }

    [Fact]
    public void C05_captions_of_two_code_pages_are_decoded_each_and_shown()
    {
        var (captions, warnings) = Read("c05-cp932-captions.zip");
        Assert.Equal(
            ["公園のTOK、春", "TOKと猫", "TOK、海辺", "赤いTOK", "公园里的TOK，春天"],
            captions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Equal(2, warnings.Count);
        Assert.Contains("'caption.csv' is not UTF-8; it is read as Japanese (code page 932): \"…", warnings[0], StringComparison.Ordinal);
        Assert.Contains("'4.txt' is not UTF-8; it is read as Chinese (code page 936): \"公园里的TOK，春天\"", warnings[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public void C06_a_long_caption_keeps_its_trigger_word_and_says_what_is_cut()
    {
        var (captions, warnings) = Read("c06-long-captions.zip");
        Assert.StartsWith("TOK, a small purple creature", captions["0.png"], StringComparison.Ordinal);
        Assert.StartsWith("a photo of TOK, a small purple creature", captions["1.png"], StringComparison.Ordinal);
        Assert.StartsWith("TOK, masterpiece, masterpiece", captions["3.png"], StringComparison.Ordinal);
        Assert.Equal(["'0.png'", "'1.png'", "'3.png'"], warnings.Select(warning => warning.Split(' ')[2]));
        Assert.All(warnings, warning => Assert.Contains("tokens where 75 are read; this is cut: \"", warning, StringComparison.Ordinal));
        Assert.EndsWith("TOK stood in what is cut and is put in front.", warnings[0], StringComparison.Ordinal);
        Assert.DoesNotContain("in front", warnings[1].Split('"')[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void C07_the_trigger_word_is_found_between_letters_of_scripts_without_spaces()
    {
        var (captions, warnings) = Read("c07-trigger-beside-cjk.zip");
        Assert.Equal(
            ["公園でTOKの写真", "TOKと猫", "在公园里的TOK，春天", "TOK’s hat", "#TOK #cat", "a photo of TOK, TOK_side view", "TOK-like shape"],
            captions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Empty(warnings);
    }

    [Fact]
    public void C08_weights_are_taken_out_and_repeated_words_stay()
    {
        var (captions, warnings) = Read("c08-weights-and-repeats.zip");
        Assert.Equal(
            ["TOK, blurry, (cosplay)", "TOK's hat on TOK's head", "a TOK, next to another TOK, and a third TOK.",
                "TOK, masterpiece, best quality", "TOK with TOK"],
            captions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));
        Assert.Equal(2, warnings.Count);
        Assert.Contains("'0.png': weights say nothing in training; it is read as \"TOK, blurry, (cosplay)\"", warnings[0],
            StringComparison.Ordinal);
        Assert.Contains("'3.png': the tag <lora:tok:0.8>", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_file_of_every_reported_archive_is_a_picture_belongs_to_one_or_is_named_as_skipped()
    {
        var names = Directory.GetFiles(TestPaths.Fixture("reports"), "*.zip").Select(path => Path.GetFileName(path)!)
            .Where(name => name[0] is 'a' or 'c').ToList();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            using var archive = Open(name);
            var contents = archive.Contents;
            var places = contents.Pictures.SelectMany(picture => new[] { picture.Path, picture.MaskPath, picture.CaptionTextPath })
                .OfType<string>()
                .Concat(contents.CaptionFilePaths).Concat(contents.Skipped.Select(skipped => skipped.Name));
            Assert.Equal(archive.Entries.Select(entry => entry.Path).Order(StringComparer.Ordinal), places.Order(StringComparer.Ordinal));
        }
    }
}
