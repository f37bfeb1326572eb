using Sdxl.Cli.Sheets;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Cli;

public sealed class PictureSheetTests
{
    private static byte[] Plain(byte red, byte green, byte blue)
    {
        using var picture = new Image<Rgb24>(128, 128, new Rgb24(red, green, blue));
        using var stream = new MemoryStream();
        picture.SaveAsPng(stream);
        return stream.ToArray();
    }

    [Fact]
    public void Before_is_the_left_half_and_after_the_right_half_of_each_row()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("sdxl-sheet-").FullName, "sheet.png");
        PictureSheet.Save(path, [new SheetRow("one", Plain(255, 0, 0), Plain(0, 255, 0)), new SheetRow("two", Plain(0, 0, 255), Plain(9, 9, 9))]);
        using var sheet = Image.Load<Rgb24>(path);
        var (x, y) = (sheet.Width / 4, sheet.Height / 4);
        Assert.Equal(new Rgb24(255, 0, 0), sheet[x, y]);
        Assert.Equal(new Rgb24(0, 255, 0), sheet[3 * x, y]);
        Assert.Equal(new Rgb24(0, 0, 255), sheet[x, 3 * y]);
        Assert.Equal(new Rgb24(9, 9, 9), sheet[3 * x, 3 * y]);
    }
}
