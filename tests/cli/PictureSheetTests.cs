using Sdxl.Cli.Sheets;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.Cli;

public sealed class PictureSheetTests
{
    private static readonly Rgb24 Red = new(255, 0, 0), Green = new(0, 255, 0), Blue = new(0, 0, 255), Grey = new(9, 9, 9);

    [Fact]
    public void Before_is_the_left_half_and_after_the_right_half_of_each_row()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("sdxl-sheet-").FullName, "sheet.png");
        PictureSheet.Save(path, [Row("one", Red, Green), Row("two", Blue, Grey)]);
        using var sheet = Image.Load<Rgb24>(path);
        var (x, y) = (sheet.Width / 4, sheet.Height / 4);
        Assert.Equal(Red, sheet[x, y]);
        Assert.Equal(Green, sheet[3 * x, y]);
        Assert.Equal(Blue, sheet[x, 3 * y]);
        Assert.Equal(Grey, sheet[3 * x, 3 * y]);
    }

    [Fact]
    public void Halves_and_rows_come_out_by_dividing_and_hold_every_pixel_of_their_tiles()
    {
        using var sheet = PictureSheet.Compose([Row("one", Red, Green), Row("two", Red, Green), Row("three", Red, Green)], 2);
        Assert.Equal(0, sheet.Width % 2);
        Assert.Equal(0, sheet.Height % 3);
        for (var row = 0; row < 3; row++)
        {
            Assert.Equal(256 * 256, Count(sheet, new Rectangle(0, row * sheet.Height / 3, sheet.Width / 2, sheet.Height / 3), Red));
            Assert.Equal(
                256 * 256,
                Count(sheet, new Rectangle(sheet.Width / 2, row * sheet.Height / 3, sheet.Width / 2, sheet.Height / 3), Green)
            );
        }
    }

    [Fact]
    public void Several_pictures_stand_side_by_side()
    {
        using var sheet = PictureSheet.Compose([new SheetRow("two a side", [Plain(Red), Plain(Blue)], [Plain(Green), Plain(Grey)])], 1);
        Assert.Equal(128 * 128, Count(sheet, sheet.Bounds(), Red));
        Assert.Equal(128 * 128, Count(sheet, sheet.Bounds(), Blue));
        Assert.Equal(128 * 128, Count(sheet, sheet.Bounds(), Green));
        Assert.Equal(128 * 128, Count(sheet, sheet.Bounds(), Grey));
    }

    [Fact]
    public void A_prompt_that_is_too_long_ends_in_three_dots_and_stays_inside()
    {
        var label = DotFont.Fit(new string('w', 500), 2, 300);
        Assert.EndsWith("...", label, StringComparison.Ordinal);
        Assert.InRange(DotFont.Width(label, 2), 250, 300);
        using var sheet = PictureSheet.Compose([Row(new string('W', 500), Red, Green)], 1);
        Assert.Equal(sheet.Height, sheet.Bounds().Height);
    }

    [Fact]
    public void Every_printable_letter_has_its_own_shape()
    {
        var shapes = new HashSet<string>();
        for (var letter = '!'; letter <= '~'; letter++)
        {
            using var picture = new Image<Rgb24>(12, 16);
            DotFont.Write(picture, letter.ToString(), 0, 0, 2, Red);
            var pixels = new byte[12 * 16 * 3];
            picture.CopyPixelDataTo(pixels);
            Assert.True(shapes.Add(Convert.ToBase64String(pixels)), $"'{letter}' looks like another letter.");
        }
    }

    [Fact]
    public void A_row_without_pictures_is_named() =>
        Assert.Contains(
            "'lonely'",
            Assert.Throws<ArgumentException>(() => PictureSheet.Compose([new SheetRow("lonely", [Plain(Red)], [])], 1)).Message,
            StringComparison.Ordinal
        );

    private static SheetRow Row(string prompt, Rgb24 before, Rgb24 after) => new(prompt, [Plain(before)], [Plain(after)]);

    private static Image<Rgb24> Plain(Rgb24 color) => new(128, 128, color);

    private static int Count(Image<Rgb24> sheet, Rectangle area, Rgb24 color)
    {
        var count = 0;
        for (var y = area.Top; y < area.Bottom; y++)
        {
            for (var x = area.Left; x < area.Right; x++)
                count += sheet[x, y] == color ? 1 : 0;
        }
        return count;
    }
}
