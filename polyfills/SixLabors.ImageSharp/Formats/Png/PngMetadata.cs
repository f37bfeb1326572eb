using SixLabors.ImageSharp.Formats.Png.Chunks;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>What a PNG tells besides its pixels.</summary>
public class PngMetadata : IDeepCloneable
{
    public PngMetadata()
    {
    }

    private PngMetadata(PngMetadata other)
    {
        BitDepth = other.BitDepth;
        ColorType = other.ColorType;
        TextData = [.. other.TextData];
    }

    public PngBitDepth? BitDepth { get; set; }

    public PngColorType? ColorType { get; set; }

    /// <summary>Texts in the order of the file.</summary>
    public IList<PngTextData> TextData { get; set; } = [];

    public IDeepCloneable DeepClone() => new PngMetadata(this);
}
