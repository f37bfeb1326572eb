namespace SixLabors.ImageSharp.Formats.Jpeg;

/// <summary>What a JPEG tells besides its pixels.</summary>
public class JpegMetadata : IDeepCloneable
{
    public JpegMetadata()
    {
    }

    private JpegMetadata(JpegMetadata other) => (ColorType, Progressive) = (other.ColorType, other.Progressive);

    public JpegEncodingColor? ColorType { get; internal set; }

    public bool? Progressive { get; internal set; }

    public IDeepCloneable DeepClone() => new JpegMetadata(this);
}
