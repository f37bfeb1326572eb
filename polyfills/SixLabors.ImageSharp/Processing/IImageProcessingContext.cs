namespace SixLabors.ImageSharp.Processing;

/// <summary>The image inside Mutate or Clone; operations apply in the order of their calls.</summary>
public interface IImageProcessingContext
{
    Configuration Configuration { get; }

    /// <summary>The size after the operations so far.</summary>
    Size GetCurrentSize();

    internal IImageProcessingContext Apply(ImageOperation operation);
}
