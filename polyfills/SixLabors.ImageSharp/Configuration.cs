using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Memory;

namespace SixLabors.ImageSharp;

/// <summary>Settings that images carry with them; <see cref="Default"/> is shared by everything that names none.</summary>
public sealed class Configuration
{
    private MemoryAllocator memoryAllocator = MemoryAllocator.Default;
    private int maxDegreeOfParallelism = Environment.ProcessorCount;

    public static Configuration Default { get; } = new();

    /// <summary>Threads that one operation may use; -1: no limit.</summary>
    public int MaxDegreeOfParallelism
    {
        get => maxDegreeOfParallelism;
        set => maxDegreeOfParallelism = value is 0 or < -1 ? throw new ArgumentOutOfRangeException(nameof(MaxDegreeOfParallelism)) : value;
    }

    /// <summary>Buffers in one piece whatever their size, so that <c>DangerousTryGetSinglePixelMemory</c> succeeds.</summary>
    public bool PreferContiguousImageBuffers { get; set; }

    public ImageFormatManager ImageFormatsManager { get; } = new();

    public MemoryAllocator MemoryAllocator
    {
        get => memoryAllocator;
        set
        {
            ArgumentNullException.ThrowIfNull(value, nameof(MemoryAllocator));
            memoryAllocator = value;
        }
    }

    public Configuration Clone() => new()
    {
        MaxDegreeOfParallelism = MaxDegreeOfParallelism,
        MemoryAllocator = MemoryAllocator,
    };

    internal ParallelOptions Parallel => new() { MaxDegreeOfParallelism = MaxDegreeOfParallelism };
}
