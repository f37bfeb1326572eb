namespace SixLabors.ImageSharp.Formats;

/// <summary>Base of encoders that could also write a palette.</summary>
public abstract class QuantizingImageEncoder : ImageEncoder
{
}
