namespace Sdxl.Pictures;

/// <summary>A decoded picture, upright, over white, in red green blue; perhaps shrunk while decoding.</summary>
/// <param name="Width">Of the file, upright; at least as large as the pixels'.</param>
/// <param name="HasTransparency">Whether any pixel let the white through.</param>
/// <param name="Frames">Frames or pages of the file, of which this is the first.</param>
/// <param name="ColourWarning">A sentence about a colour profile that is not applied; null: sRGB, or converted to it.</param>
public sealed record LoadedPicture(PixelGrid Pixels, int Width, int Height, bool HasTransparency, int Frames = 1,
    string? ColourWarning = null)
{
    private const int WhiteFrom = 250; // levels; JPEG's white is not always 255

    /// <summary>
    /// Whether hardly anything but white is to be seen: what was drawn in white, or is transparent throughout, is lost over white.
    /// </summary>
    public bool IsAllWhite => Pixels.Data.AsSpan().IndexOfAnyInRange((byte)0, (byte)(WhiteFrom - 1)) < 0;

    /// <summary>Original pixels per decoded pixel, 1 or more.</summary>
    public double Shrink => Math.Max((double)Width / Pixels.Width, (double)Height / Pixels.Height);
}
