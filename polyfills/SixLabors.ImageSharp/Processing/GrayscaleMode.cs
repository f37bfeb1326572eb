namespace SixLabors.ImageSharp.Processing;

/// <summary>Weights of the three colours.</summary>
public enum GrayscaleMode
{
    Bt709,
    Bt601,
}
