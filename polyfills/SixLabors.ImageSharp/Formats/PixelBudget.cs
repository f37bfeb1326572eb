using SixLabors.ImageSharp.Memory;

namespace SixLabors.ImageSharp.Formats;

/// <summary>Weighs a picture against the allocator's limit before a library takes memory of its own for it.</summary>
internal static class PixelBudget
{
    /// <exception cref="InvalidImageContentException">It would be over the limit.</exception>
    public static void Check(Configuration configuration, int width, int height, int pixelBytes)
    {
        try
        {
            configuration.MemoryAllocator.Check((long)width * height, pixelBytes);
        }
        catch (InvalidMemoryOperationException tooMuch)
        {
            throw new InvalidImageContentException(new Size(width, height), tooMuch);
        }
    }
}
