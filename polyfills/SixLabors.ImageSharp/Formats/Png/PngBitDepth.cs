namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>Bits a channel.</summary>
public enum PngBitDepth : byte
{
    Bit1 = 1,
    Bit2 = 2,
    Bit4 = 4,
    Bit8 = 8,
    Bit16 = 16,
}
