using System.IO.Compression;

namespace SixLabors.ImageSharp.Formats.Png;

/// <summary>The compressed rows: each gets the filter with the smallest sum of magnitudes (PNG specification 12.8), then zlib.</summary>
internal sealed class PngData : IDisposable
{
    private const int ChunkBytes = 64 << 10;

    private readonly PngWriter writer;
    private readonly int pixelBytes;
    private readonly bool filter;
    private readonly MemoryStream pending = new();
    private readonly ZLibStream zlib;
    private readonly byte[][] filtered;
    private readonly byte[] previous;

    public PngData(PngWriter writer, int rowBytes, int pixelBytes, PngCompressionLevel level)
    {
        this.writer = writer;
        this.pixelBytes = pixelBytes;
        filter = level != PngCompressionLevel.NoCompression;
        previous = new byte[rowBytes];
        filtered = [.. Enumerable.Range(0, 5).Select(type => { var line = new byte[rowBytes + 1]; line[0] = (byte)type; return line; })];
        zlib = new ZLibStream(pending, new ZLibCompressionOptions { CompressionLevel = (int)level }, leaveOpen: true);
    }

    public static byte[] Deflate(byte[] plain)
    {
        using var target = new MemoryStream();
        using (var source = new ZLibStream(target, System.IO.Compression.CompressionLevel.Optimal, leaveOpen: true))
            source.Write(plain);
        return target.ToArray();
    }

    public void Write(ReadOnlySpan<byte> row)
    {
        zlib.Write(Choose(row));
        row.CopyTo(previous);
        if (pending.Length >= ChunkBytes)
            Flush();
    }

    public void Dispose()
    {
        zlib.Dispose();
        Flush();
        pending.Dispose();
    }

    private void Flush()
    {
        writer.Chunk("IDAT"u8, pending.GetBuffer().AsSpan(0, (int)pending.Length));
        pending.SetLength(0);
    }

    private byte[] Choose(ReadOnlySpan<byte> row)
    {
        row.CopyTo(filtered[0].AsSpan(1));
        if (!filter)
            return filtered[0];
        Span<long> sums = stackalloc long[5];
        byte[] none = filtered[0], sub = filtered[1], up = filtered[2], average = filtered[3], paeth = filtered[4];
        for (var i = 0; i < row.Length; i++)
        {
            int left = i < pixelBytes ? 0 : row[i - pixelBytes], above = previous[i], corner = i < pixelBytes ? 0 : previous[i - pixelBytes], value = row[i];
            var (toLeft, toAbove, toCorner) = (Math.Abs(above - corner), Math.Abs(left - corner), Math.Abs(left + above - corner - corner));
            var nearest = toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
            sub[i + 1] = (byte)(value - left);
            up[i + 1] = (byte)(value - above);
            average[i + 1] = (byte)(value - ((left + above) >> 1));
            paeth[i + 1] = (byte)(value - nearest);
            sums[0] += Math.Abs((sbyte)none[i + 1] + 0);
            sums[1] += Math.Abs((sbyte)sub[i + 1] + 0);
            sums[2] += Math.Abs((sbyte)up[i + 1] + 0);
            sums[3] += Math.Abs((sbyte)average[i + 1] + 0);
            sums[4] += Math.Abs((sbyte)paeth[i + 1] + 0);
        }
        var best = 0;
        for (var type = 1; type < 5; type++)
            best = sums[type] < sums[best] ? type : best;
        return filtered[best];
    }
}
