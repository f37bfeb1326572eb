using System.IO.Compression;
using Sdxl.Core.Text;

namespace Sdxl.Core.Archives;

/// <summary>
/// A gzip's content as a seekable stream without a copy of it in memory or on disk: going back means to decompress from the start again,
/// so read it in order. The whole content is decompressed once at the beginning, which finds its length, its damage and its bombs.
/// </summary>
internal sealed class GunzippedStream : Stream
{
    private readonly Stream packed;
    private GZipStream gunzip;
    private long decoded; // bytes that gunzip has given so far
    private long position;

    public GunzippedStream(Stream packed, ArchiveLimits limits, string archive)
    {
        this.packed = packed;
        gunzip = Restart();
        var buffer = new byte[1 << 16];
        try
        {
            while (gunzip.Read(buffer) is > 0 and var read)
            {
                Length += read;
                Refusals.ThrowIfBomb(archive, Length, packed.Length, limits);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Refusals.Damaged(archive, $"its gzip data breaks off or is wrong after {Plural.Of(Length, "unpacked byte")}", e);
        }
        gunzip = Restart();
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position
    {
        get => position;
        set => position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a position is at least 0");
    }

    public override int Read(Span<byte> buffer)
    {
        if (position >= Length || buffer.IsEmpty)
            return 0;
        if (position < decoded)
            gunzip = Restart();
        Span<byte> passed = stackalloc byte[4096];
        while (decoded < position)
            decoded += gunzip.Read(passed[..(int)Math.Min(passed.Length, position - decoded)]) is > 0 and var skipped ? skipped : throw Changed();
        var read = gunzip.Read(buffer);
        decoded += read;
        position += read;
        return read > 0 ? read : throw Changed();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => Length + offset,
    };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException("an archive is read-only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("an archive is read-only");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            gunzip.Dispose();
        base.Dispose(disposing);
    }

    private GZipStream Restart()
    {
        packed.Position = 0;
        decoded = 0;
        return new GZipStream(packed, CompressionMode.Decompress, leaveOpen: true);
    }

    private EndOfStreamException Changed() =>
        new($"The archive gave {Length:N0} bytes when it was checked and ends at {decoded:N0} now: it was changed while it was read. Upload it again.");
}
