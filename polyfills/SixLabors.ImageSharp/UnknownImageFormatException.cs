namespace SixLabors.ImageSharp;

/// <summary>No decoder (or encoder) for these bytes (or this file extension).</summary>
public sealed class UnknownImageFormatException : ImageFormatException
{
    public UnknownImageFormatException(string errorMessage)
        : base(errorMessage)
    {
    }
}
