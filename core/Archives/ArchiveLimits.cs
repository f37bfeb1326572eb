namespace Sdxl.Core.Archives;

/// <summary>
/// How much an uploaded archive may unpack to. The bytes that really come out are counted; what the headers claim is not believed.
/// </summary>
public sealed record ArchiveLimits
{
    /// <summary>Room for a few hundred large photos.</summary>
    public static ArchiveLimits Default { get; } = new();

    /// <summary>Files and folders together.</summary>
    public int MaxEntries { get; init; } = 5_000;

    /// <summary>One file, unpacked: 256 MiB holds an uncompressed picture of 89 megapixels.</summary>
    public long MaxEntryBytes { get; init; } = 256L << 20;

    /// <summary>All files together, unpacked: 2 GiB.</summary>
    public long MaxTotalBytes { get; init; } = 2L << 30;

    /// <summary>
    /// Unpacked bytes for each packed byte; pictures are compressed already and stay near 1, deflate's worst case is 1032.
    /// </summary>
    public double MaxRatio { get; init; } = 100;

    /// <summary>The ratio counts only above this size, because a few small drawings in flat colours do no harm: 32 MiB.</summary>
    public long RatioFromBytes { get; init; } = 32L << 20;
}
