namespace Sdxl.Core.Archives;

/// <summary>The checksum of a tar's header: one of its 512 bytes, those of the checksum itself (eight at 148) taken for spaces.</summary>
public static class TarHeader
{
    public const int Bytes = 512;

    /// <summary>What the header says, octal digits alone, and what its bytes come to.</summary>
    public static (long Recorded, long Sum) Checksum(ReadOnlySpan<byte> header)
    {
        var (recorded, sum) = (0L, 8L * ' ');
        for (var i = 0; i < Bytes; i++)
        {
            if (i is < 148 or >= 156)
                sum += header[i];
            else if (header[i] is >= (byte)'0' and <= (byte)'7')
                recorded = (recorded * 8) + (header[i] - '0');
        }
        return (recorded, sum);
    }
}
