namespace Sdxl.Pictures;

/// <summary>A decoded picture, upright, over white, in red green blue; perhaps shrunk while decoding.</summary>
/// <param name="Width">Of the file, upright; at least as large as the pixels'.</param>
/// <param name="HasTransparency">Whether any pixel let the white through.</param>
/// <param name="Frames">Frames or pages of the file, of which this is the first.</param>
public sealed record LoadedPicture(PixelGrid Pixels, int Width, int Height, bool HasTransparency, int Frames = 1)
{
    /// <summary>Original pixels per decoded pixel, 1 or more.</summary>
    public double Shrink => Math.Max((double)Width / Pixels.Width, (double)Height / Pixels.Height);
}
