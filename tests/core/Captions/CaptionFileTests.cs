using System.Text;
using Sdxl.Core.Captions;

namespace Sdxl.Tests.Core.Captions;

public sealed class CaptionFileTests
{
    private static readonly string[] Pictures = ["p/a.jpg", "p/b b.png", "p/c.webp"];

    private static CaptionTable Read(string text) => CaptionFile.Read(Encoding.UTF8.GetBytes(text), "caption.csv", Pictures);

    private static (string, string)[] Rows(CaptionTable table) => [.. table.Rows.Select(row => (row.Picture, row.Caption))];

    public static TheoryData<string, string> Spellings => new()
    {
        { "Replicate's", "caption,image_file\none,a.jpg\n\"two, with a comma\",b b.png\n" },
        { "the columns changed over", "image_file,caption\na.jpg,one\nb b.png,\"two, with a comma\"\n" },
        { "CRLF and quotes", "\"caption\",\"image_file\"\r\n\"one\",\"a.jpg\"\r\n\"two, with a comma\",\"b b.png\"\r\n" },
        { "old Macintosh line ends", "caption,image_file\rone,a.jpg\r\"two, with a comma\",b b.png\r" },
        { "semicolons", "caption;image_file\none;a.jpg\ntwo, with a comma;b b.png" },
        { "tabs", "Image File\tCaption\na.jpg\tone\nb b.png\ttwo, with a comma" },
        { "no header", "one,a.jpg\n\"two, with a comma\",b b.png" },
        { "no header, changed over", "a.jpg,one\nb b.png,\"two, with a comma\"" },
        { "no quotes round a comma", "caption,image_file\none,a.jpg\ntwo, with a comma,b b.png" },
        { "no quotes round a comma, changed over", "file_name,text\na.jpg,one\nb b.png,two, with a comma" },
        { "names of metadata.csv", "file_name,text\na.jpg,one\nb b.png,\"two, with a comma\"" },
        { "spaces and empty lines", "\n caption , image_file \n\n one , a.jpg \n\n\"two, with a comma\" , b b.png\n\n" },
        { "a third column", "id,caption,image_file\n1,one,a.jpg\n2,\"two, with a comma\",b b.png" },
        { "Excel's first line", "\uFEFFsep=;\r\nimage_file;caption;;\r\na.jpg;one;;\r\nb b.png;two, with a comma;;\r\n;;;\r\n" },
        { "Excel's first line in quotes", "\"sep=\t\"\ncaption\timage_file\none\ta.jpg\ntwo, with a comma\tb b.png" },
        { "a line break in a caption", "caption,image_file\none,a.jpg\n\"two,\nwith a comma\",b b.png" },
    };

    [Theory]
    [MemberData(nameof(Spellings))]
    public void A_caption_file_is_read_however_it_is_written(string spelling, string text)
    {
        var table = Read(text);
        Assert.Equal([("a.jpg", "one"), ("b b.png", "two, with a comma")], Rows(table));
        Assert.Empty(table.Warnings);
        Assert.NotEmpty(spelling);
    }

    [Fact]
    public void Utf_8_and_utf_16_with_and_without_mark_read_the_same()
    {
        const string text = "caption,image_file\r\nun été à la mer,a.jpg\r\n";
        Encoding[] encodings =
        [
            new UTF8Encoding(true),
            new UTF8Encoding(false),
            new UnicodeEncoding(false, true),
            new UnicodeEncoding(true, true),
            new UnicodeEncoding(false, false),
            Encoding.Latin1,
        ];
        foreach (var encoding in encodings)
            Assert.Equal(
                [("a.jpg", "un été à la mer")],
                Rows(CaptionFile.Read([.. encoding.GetPreamble(), .. encoding.GetBytes(text)], "caption.csv", Pictures))
            );
    }

    [Fact]
    public void Names_without_extension_tell_the_picture_column() =>
        Assert.Equal([("a", "one"), ("b b", "two")], Rows(Read("a,one\nb b,two")));

    [Fact]
    public void A_quote_that_is_never_closed_costs_no_other_line() =>
        Assert.Equal([("a.jpg", "one"), ("b b.png", "two")], Rows(Read("caption,image_file\n\"one,a.jpg\ntwo,b b.png\n")));

    [Fact]
    public void A_quote_inside_a_caption_is_a_quote() =>
        Assert.Equal([("a.jpg", "a 5\" ruler"), ("b b.png", "two")], Rows(Read("caption,image_file\na 5\" ruler,a.jpg\ntwo,b b.png\n")));

    [Fact]
    public void Line_numbers_are_the_files_own() =>
        Assert.Equal([3, 5], Read("caption,image_file\n\none,a.jpg\n\ntwo,c.webp\n").Rows.Select(row => row.Line));

    [Fact]
    public void Excels_first_line_counts_as_a_line() =>
        Assert.Contains("line 4", Assert.Single(Read("sep=,\ncaption,image_file\none,a.jpg\ntwo\n").Warnings), StringComparison.Ordinal);

    [Theory]
    [InlineData(
        "metadata.jsonl",
        "{\"file_name\": \"a.jpg\", \"text\": \"one\"}\n\n{\"text\": \"two\", \"file_name\": \"b b.png\", \"id\": 7}\r\n"
    )]
    [InlineData("captions.json", "[{\"image\": \"a.jpg\", \"caption\": \"one\"}, {\"image\": \"b b.png\", \"prompt\": \"two\"}]")]
    [InlineData("meta_cap.json", "{\"a.jpg\": {\"caption\": \"one\", \"tags\": \"x\"}, \"b b.png\": {\"tags\": [\"two\"]}}")]
    [InlineData("captions.json", "{\"a.jpg\": \"one\", \"b b.png\": \"two\"}")]
    public void Json_is_read_in_the_forms_of_other_trainers(string name, string text)
    {
        var table = CaptionFile.Read(text, name, Pictures);
        Assert.Equal([("a.jpg", "one"), ("b b.png", "two")], Rows(table));
        Assert.Empty(table.Warnings);
    }

    [Fact]
    public void A_line_of_json_that_is_none_costs_no_other_line()
    {
        var table = CaptionFile.Read("{\"file_name\": \"a.jpg\", \"text\": \"one\"}\n{oops\n[1]\n", "metadata.jsonl", Pictures);
        Assert.Equal([("a.jpg", "one")], Rows(table));
        Assert.Equal(2, table.Warnings.Count);
        Assert.Contains("'metadata.jsonl', line 2: is not JSON", table.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("line 3: names no picture", table.Warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_about_something_else_is_no_captions()
    {
        var table = CaptionFile.Read("file_name,camera\na.jpg,Nikon\n", "metadata.csv", Pictures);
        Assert.Empty(table.Rows);
        Assert.Contains("has no columns file_name and text", Assert.Single(table.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Spaces_in_a_pictures_name_stay_as_they_are() =>
        Assert.Equal([("IMG  1.png", "two words")], Rows(Read("caption,image_file\ntwo  words,IMG  1.png\n")));

    [Fact]
    public void A_code_page_is_guessed_and_said()
    {
        var table = CaptionFile.Read(CodePagesEncodingProvider.Instance.GetEncoding(1251)!
            .GetBytes("caption,image_file\nкот на диване,a.jpg\n"), "caption.csv", Pictures);
        Assert.Equal([("a.jpg", "кот на диване")], Rows(table));
        Assert.Contains("it is read as Cyrillic (code page 1251)", Assert.Single(table.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_names_is_never_joined_by_position()
    {
        var table = Read("caption\none\ntwo\nthree\n");
        Assert.Empty(table.Rows);
        Assert.Contains("has no column with the pictures' names", Assert.Single(table.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_said_to_be_empty() =>
        Assert.Contains("is empty", Assert.Single(Read(" \n").Warnings), StringComparison.Ordinal);

    [Fact]
    public void A_short_line_is_left_out_with_a_warning()
    {
        var table = Read("caption,image_file\none,a.jpg\ntwo\n");
        Assert.Equal([("a.jpg", "one")], Rows(table));
        Assert.Contains("line 3", Assert.Single(table.Warnings), StringComparison.Ordinal);
    }
}
