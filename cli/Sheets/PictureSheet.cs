using Sdxl.Core.Text;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Sdxl.Cli.Sheets;

/// <summary>
/// Before and after on one picture: a row a prompt with the prompt above it, the left half before, the right half after. All rows have
/// the same height and both halves the same margins, so that they can be cut out again by dividing width and height.
/// </summary>
internal static class PictureSheet
{
    private const int SmallestTile = 256; // pixels; a toy's 128 are enlarged to be seen
    private const int LargestCaptionTile = 384; // above, captions double
    private const int Margin = 24, TileGap = 8, LabelGap = 10, CaptionBand = 44, RowEnd = 14, Line = 1;

    private static readonly Rgb24 Paper = new(250, 250, 248), Ink = new(34, 34, 38), Muted = new(128, 128, 134), Rule = new(212, 212, 208);

    /// <summary>Writes the sheet with tiles of at least 256 pixels.</summary>
    /// <param name="path">PNG to write; replaced if it is there</param>
    /// <param name="rows">at least one</param>
    public static void Save(string path, IReadOnlyList<SheetRow> rows)
    {
        using var sheet = Compose(rows, (SmallestTile + Tile(rows).Width - 1) / Tile(rows).Width);
        sheet.SaveAsPng(path + ".part");
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <param name="rows">at least one; every tile takes the size of the first picture</param>
    /// <param name="tileScale">1 or more: how often a tile's side is larger than its picture's</param>
    /// <exception cref="ArgumentException">No rows, or a row without a picture on one side.</exception>
    public static Image<Rgb24> Compose(IReadOnlyList<SheetRow> rows, int tileScale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tileScale);
        var source = Tile(rows);
        var tile = new Size(source.Width * tileScale, source.Height * tileScale);
        var text = tile.Width > LargestCaptionTile ? 4 : 2; // pixels a dot
        var columns = rows.Max(row => Math.Max(row.Before.Count, row.After.Count));
        var half = (2 * Margin) + (columns * tile.Width) + ((columns - 1) * TileGap);
        var tilesTop = CaptionBand + DotFont.Height(text) + LabelGap;
        var height = tilesTop + tile.Height + RowEnd;

        var sheet = new Image<Rgb24>(2 * half, rows.Count * height, Paper);
        DrawCaption(sheet, "before", 0, half, text);
        DrawCaption(sheet, "after", half, half, text);
        for (var row = 0; row < rows.Count; row++)
        {
            var top = row * height;
            // The first row's band holds the captions of the two halves, the others' a rule.
            if (row > 0)
                DotFont.Fill(sheet, new Rectangle(Margin, top + (CaptionBand / 2) - RowEnd / 2, sheet.Width - (2 * Margin), Line), Rule);
            var label = DotFont.Fit(rows[row].Prompt, text, sheet.Width - (2 * Margin));
            DotFont.Write(sheet, label, Margin, top + CaptionBand, text, Ink);
            DrawTiles(sheet, rows[row].Before, new Point(Margin, top + tilesTop), tile);
            DrawTiles(sheet, rows[row].After, new Point(half + Margin, top + tilesTop), tile);
            DotFont.Fill(sheet, new Rectangle(half - Line, top + tilesTop, 2 * Line, tile.Height), Rule);
        }
        return sheet;
    }

    private static Size Tile(IReadOnlyList<SheetRow> rows)
    {
        if (rows.Count == 0)
            throw new ArgumentException("A sheet needs at least one row.", nameof(rows));
        if (rows.FirstOrDefault(row => row.Before.Count == 0 || row.After.Count == 0) is { } empty)
            throw new ArgumentException(
                $"Row '{empty.Prompt}' has {Plural.Of(empty.Before.Count, "picture")} before and {empty.After.Count} after; it needs one "
                    + "on each side.",
                nameof(rows)
            );
        return rows[0].Before[0].Size();
    }

    private static void DrawCaption(Image<Rgb24> sheet, string caption, int left, int width, int text) =>
        DotFont.Write(
            sheet,
            caption,
            left + ((width - DotFont.Width(caption, text)) / 2),
            (CaptionBand - DotFont.Height(text)) / 2,
            text,
            Muted
        );

    private static void DrawTiles(Image<Rgb24> sheet, IReadOnlyList<Image<Rgb24>> pictures, Point at, Size tile)
    {
        for (var i = 0; i < pictures.Count; i++)
        {
            using var picture = pictures[i].Clone(context => context.Resize(tile.Width, tile.Height, KnownResamplers.Bicubic));
            sheet.Mutate(context => context.DrawImage(picture, new Point(at.X + (i * (tile.Width + TileGap)), at.Y), 1F));
        }
    }
}
