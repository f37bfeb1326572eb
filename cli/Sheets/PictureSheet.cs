using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Cli.Sheets;

/// <summary>
/// Before and after on one picture: a row a prompt, the left half before, the right half after. All cells have the same size and no margin,
/// so that halves and rows can be cut out again by dividing.
/// </summary>
internal static class PictureSheet
{
    private const int SmallestCell = 256; // pixels; a toy's 128 are enlarged to be seen

    /// <param name="path">PNG to write; replaced if it is there.</param>
    public static void Save(string path, IReadOnlyList<SheetRow> rows)
    {
        using var first = Image.Load<Rgb24>(rows[0].Before);
        var scale = Math.Max(1, (SmallestCell + first.Width - 1) / first.Width);
        var (width, height) = (first.Width * scale, first.Height * scale);
        using var sheet = new Image<Rgb24>(2 * width, rows.Count * height);
        for (var row = 0; row < rows.Count; row++)
        {
            foreach (var (column, png) in new[] { rows[row].Before, rows[row].After }.Index())
            {
                using var picture = Image.Load<Rgb24>(png);
                picture.Mutate(context => context.Resize(width, height, KnownResamplers.Bicubic));
                sheet.Mutate(context => context.DrawImage(picture, new Point(column * width, row * height), 1f));
            }
        }
        sheet.SaveAsPng(path + ".part");
        File.Move(path + ".part", path, overwrite: true);
    }
}
