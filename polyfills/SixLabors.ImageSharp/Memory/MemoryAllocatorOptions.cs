namespace SixLabors.ImageSharp.Memory;

/// <summary>Limits of a <see cref="MemoryAllocator"/>.</summary>
public struct MemoryAllocatorOptions
{
    private int? allocationLimitMegabytes;

    /// <summary>Largest picture buffer in MiB, above 0; null: 4096.</summary>
    public int? AllocationLimitMegabytes
    {
        readonly get => allocationLimitMegabytes;
        set
        {
            if (value.HasValue)
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value.Value, nameof(AllocationLimitMegabytes));
            allocationLimitMegabytes = value;
        }
    }
}
