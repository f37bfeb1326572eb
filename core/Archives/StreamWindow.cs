namespace Sdxl.Core.Archives;

/// <summary>A read-only piece of a seekable stream that it does not own.</summary>
internal sealed class StreamWindow(Stream stream, long offset, long length) : Stream
{
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set => position = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "a position is at least 0");
    }

    public override int Read(Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, Math.Max(0, length - position));
        if (count == 0)
            return 0;
        stream.Position = offset + position;
        var read = stream.Read(buffer[..count]);
        position += read;
        return read;
    }

    public override int Read(byte[] buffer, int start, int count) => Read(buffer.AsSpan(start, count));

    public override long Seek(long distance, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => distance,
        SeekOrigin.Current => position + distance,
        _ => length + distance,
    };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException("an archive is read-only");

    public override void Write(byte[] buffer, int start, int count) => throw new NotSupportedException("an archive is read-only");
}
