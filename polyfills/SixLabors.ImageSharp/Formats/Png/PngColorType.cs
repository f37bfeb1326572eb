namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>Channels of a PNG, by their numbers in the header.</summary>
public enum PngColorType : byte
{
    Grayscale = 0,
    Rgb = 2,
    Palette = 3,
    GrayscaleWithAlpha = 4,
    RgbWithAlpha = 6,
}
