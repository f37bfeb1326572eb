namespace Sdxl.Core.Archives;

/// <summary>Reads at most so many bytes of a stream, which it owns, and knows that length.</summary>
internal sealed class CappedStream(Stream stream, long length) : Stream
{
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException("an archive's entry is read from start to end");
    }

    public override int Read(Span<byte> buffer)
    {
        var read = stream.Read(buffer[..(int)Math.Min(buffer.Length, length - position)]);
        position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("an archive's entry is read from start to end");

    public override void SetLength(long value) => throw new NotSupportedException("an archive is read-only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("an archive is read-only");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            stream.Dispose();
        base.Dispose(disposing);
    }
}
