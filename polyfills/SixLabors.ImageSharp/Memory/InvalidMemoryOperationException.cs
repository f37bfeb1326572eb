namespace SixLabors.ImageSharp.Memory;

/// <summary>A buffer was asked for that is over the allocator's limit.</summary>
public class InvalidMemoryOperationException : InvalidOperationException
{
    public InvalidMemoryOperationException(string message)
        : base(message)
    {
    }

    public InvalidMemoryOperationException()
    {
    }
}
