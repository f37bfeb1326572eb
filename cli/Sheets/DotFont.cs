using System.Globalization;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Cli.Sheets;

/// <summary>
/// Writes ASCII in the dot-matrix shapes of character displays: 5 columns of 8 dots (7, and 1 for descenders), each dot a square of
/// <c>scale</c> pixels, letters as wide as their dots. So the sheet needs no font file and looks the same everywhere.
/// </summary>
internal static class DotFont
{
    private const int Dots = 8;
    private const int SpaceDots = 3;
    private const int Columns = 5;
    private const char First = '!', Last = '~';

    // A glyph is 5 bytes in hexadecimal, columns from the left, the lowest bit on top; from '!' to '~'.
    private const string Glyphs =
        "00005F0000 0007000700 147F147F14 242A7F2A12 2313086462 3649562050 0004030000 001C224100 0041221C00 2A1C7F1C2A 08083E0808 "
            + "0080600000 "
        + "0808080808 0060600000 2010080402 3E5149453E 00427F4000 4261514946 2141454B31 1814127F10 2745454539 3C4A494930 0171090503 "
        + "3649494936 "
        + "064949291E 0036360000 0080760000 0814224100 1414141414 0041221408 0201510906 3E415D554E 7E1111117E 7F49494936 3E41414122 "
        + "7F4141221C "
        + "7F49494941 7F09090901 3E4149497A 7F0808087F 00417F4100 2040413F01 7F08142241 7F40404040 7F020C027F 7F0408107F 3E4141413E "
        + "7F09090906 "
        + "3E4151215E 7F09192946 4649494931 01017F0101 3F4040403F 1F2040201F 3F4038403F 6314081463 0708700807 6151494543 007F414100 "
        + "0204081020 "
        + "0041417F00 0402010204 4040404040 0001020400 2054545478 7F48444438 3844444420 384444487F 3854545418 087E090102 18A4A4A47C "
        + "7F08040478 "
        + "00447D4000 4080847D00 7F10284400 00417F4000 7C04180478 7C08040478 3844444438 FC24242418 18242418FC 7C08040408 4854545420 "
        + "043F444020 "
        + "3C4040207C 1C2040201C 3C4030403C 4428102844 1CA0A0A07C 4464544C44 0008364100 00007F0000 0041360800 0804081008";

    private static readonly byte[][] Shapes = [.. Glyphs.Split(' ').Select(Shape)];

    /// <summary>Height of a line in pixels, descenders included.</summary>
    public static int Height(int scale) => Dots * scale;

    /// <summary>Width of a text in pixels.</summary>
    public static int Width(string text, int scale) => text.Length == 0 ? 0 : (text.Sum(Advance) - 1) * scale;

    /// <summary>The text, or as much of it as fits with three dots behind.</summary>
    public static string Fit(string text, int scale, int pixels)
    {
        const string Rest = "...";
        if (Width(text, scale) <= pixels)
            return text;
        var kept = text;
        while (kept.Length > 0 && Width(kept + Rest, scale) > pixels)
            kept = kept[..^1];
        return kept.TrimEnd() + Rest;
    }

    /// <summary>
    /// Writes with the left top corner at (x, y). What lies outside the picture is left out; other characters appear as '?'.
    /// </summary>
    public static void Write(Image<Rgb24> picture, string text, int x, int y, int scale, Rgb24 ink)
    {
        foreach (var letter in text)
        {
            var shape = letter == ' ' ? [] : Shapes[Index(letter)];
            for (var dot = 0; dot < shape.Length * Dots; dot++)
            {
                if ((shape[dot / Dots] >> (dot % Dots) & 1) != 0)
                    Fill(picture, new Rectangle(x + (dot / Dots * scale), y + (dot % Dots * scale), scale, scale), ink);
            }
            x += Advance(letter) * scale;
        }
    }

    /// <summary>Fills the part of a rectangle that lies in the picture.</summary>
    public static void Fill(Image<Rgb24> picture, Rectangle area, Rgb24 ink)
    {
        var visible = Rectangle.Intersect(area, picture.Bounds());
        picture.ProcessPixelRows(rows =>
        {
            for (var y = visible.Top; y < visible.Bottom; y++)
                rows.GetRowSpan(y).Slice(visible.Left, visible.Width).Fill(ink);
        });
    }

    private static int Advance(char letter) => (letter == ' ' ? SpaceDots : Shapes[Index(letter)].Length) + 1;

    private static int Index(char letter) => (letter is >= First and <= Last ? letter : '?') - First;

    /// <summary>The columns of a glyph without the empty ones at its sides.</summary>
    private static byte[] Shape(string hex)
    {
        var columns = Enumerable
            .Range(0, Columns)
            .Select(i => byte.Parse(hex.AsSpan(2 * i, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            .ToArray();
        var (from, to) = (Array.FindIndex(columns, column => column != 0), Array.FindLastIndex(columns, column => column != 0));
        return columns[from..(to + 1)];
    }
}
