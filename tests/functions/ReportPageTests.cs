using System.Text.RegularExpressions;
using Sdxl.Core.Datasets;
using Sdxl.Functions.Trainings;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Functions;

/// <summary>The page that people look at before they spend a GPU's time.</summary>
public sealed partial class ReportPageTests
{
    [Fact]
    public async Task Names_and_captions_of_the_archive_are_text_and_never_markup()
    {
        var page = await Render(
            Report(
                Picture("<script>alert(1)</script>.jpg", "TOK <img src=x onerror=alert(1)> \"quoted\""),
                "\"><b>x</b>.zip",
                skipped: new SkippedFile("<i>.txt", "It is no <picture>."),
                warning: "<u>look</u>"
            )
        );
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("<(b|i|u|img src=x|picture)>", page);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;.jpg", page, StringComparison.Ordinal);
        Assert.Contains("TOK &lt;img src=x onerror=alert(1)&gt; &quot;quoted&quot;", page, StringComparison.Ordinal);
        Assert.Contains("&lt;i&gt;.txt: It is no &lt;picture&gt;.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_a_person_asks_is_on_the_page()
    {
        var picture = Picture("cats/Élan 01.JPG", "a photo of TOK") with
        {
            CaptionSource = CaptionSource.TextFile,
            MaskSource = MaskSource.Supplied,
            Upscaled = true,
            Faces = 2,
            Warnings = ["It is small."],
        };
        var page = await Render(
            Report(picture, "cats.zip", new SkippedFile("a.heic", "It is a HEIC picture."), "a and b look almost the same.")
        );
        foreach (
            var expected in new[]
            {
                "1 picture from cats.zip",
                "1 file skipped",
                "1 picture upscaled",
                "captions: 1 from the text file beside it",
                "masks: 1 supplied",
                "a.heic: It is a HEIC picture.",
                "a and b look almost the same.",
                "a photo of TOK",
                "lan 01.JPG",
                "400 x 200, upscaled",
                "mask: supplied",
                "faces: 2",
                "It is small.",
                "left:25%;top:0%;width:50%;height:100%",
            }
        )
        {
            Assert.Contains(expected, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_page_needs_no_other_file_and_stays_small_whatever_the_resolution()
    {
        var page = await Render(Report(Picture("a.jpg", "a photo of TOK"), "a.zip"));
        Assert.All(Sources().Matches(page).Select(match => match.Groups[1].Value), source => Assert.StartsWith("data:image/", source));
        Assert.Equal(3, Sources().Count(page));
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        Assert.InRange(page.Length, 1_000, 150_000);        // the prepared noise of 1024 x 1024 alone has 3 MB
    }

    private static DatasetReport Report(ReportedPicture picture, string archive, SkippedFile? skipped = null, string? warning = null) =>
        new(archive, 1, [picture], skipped is null ? [] : [skipped], warning is null ? [] : [warning]);

    private static ReportedPicture Picture(string name, string caption) =>
        new(
            name,
            "picture",
            "mask",
            "thumbnail",
            caption,
            CaptionSource.Blip,
            MaskSource.Text,
            400,
            200,
            [100, 0, 200, 200],
            false,
            0,
            "0000000000000000",
            []
        );

    private static Task<string> Render(DatasetReport report) => ReportPage.RenderAsync(report, file => Task.FromResult(Noise(file)));

    private static byte[] Noise(string file)
    {
        var side = file == "thumbnail" ? 192 : 1024;
        var pixels = new byte[side * side * 3];
        new Random(5).NextBytes(pixels);
        using var image = Image.LoadPixelData<Rgb24>(pixels, side, side);
        using var stream = new MemoryStream();
        if (file == "thumbnail")
            image.SaveAsJpeg(stream);
        else
            image.SaveAsPng(stream);
        return stream.ToArray();
    }

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Sources();
}
