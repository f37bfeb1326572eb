namespace SixLabors.ImageSharp.Memory;

/// <summary>Gives out picture buffers and refuses those over its limit.</summary>
public abstract class MemoryAllocator
{
    private const long DefaultLimitBytes = 4L << 30;

    internal MemoryAllocator()
    {
    }

    public static MemoryAllocator Default { get; } = Create();

    /// <summary>Largest buffer in bytes.</summary>
    internal long LimitBytes { get; private init; } = DefaultLimitBytes;

    public static MemoryAllocator Create() => Create(default);

    public static MemoryAllocator Create(MemoryAllocatorOptions options) =>
        new NativeAllocator { LimitBytes = options.AllocationLimitMegabytes is { } limit ? limit * 1024L * 1024L : DefaultLimitBytes };

    /// <summary>A buffer of width x height pixels, zeroed where <paramref name="clean"/>.</summary>
    /// <exception cref="InvalidMemoryOperationException">It would be larger than the limit, or the system has no more.</exception>
    internal unsafe PixelMemory<T> Allocate<T>(int width, int height, bool clean)
        where T : unmanaged
    {
        Check((long)width * height, sizeof(T));
        return new PixelMemory<T>(width, height, clean);
    }

    /// <summary>Throws where <paramref name="count"/> elements would be over the limit.</summary>
    internal void Check(long count, int elementBytes)
    {
        var bytes = (ulong)count * (ulong)elementBytes;
        if (bytes > (ulong)LimitBytes)
            throw new InvalidMemoryOperationException($"Attempted to allocate a buffer of length={bytes} that exceeded the limit {LimitBytes}.");
    }

    private sealed class NativeAllocator : MemoryAllocator
    {
    }
}
