namespace Sdxl.Functions.Http;

/// <summary>Reads a stream, which it does not own, and throws when more comes than may.</summary>
/// <param name="tooLarge">What to throw.</param>
internal sealed class LimitedStream(Stream stream, long maxBytes, Func<Exception> tooLarge) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("a request's body is read from start to end");

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException("a request's body is read from start to end");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await stream.ReadAsync(buffer, cancellationToken));

    public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Count(await stream.ReadAsync(buffer.AsMemory(offset, count), cancellationToken));

    public override int Read(byte[] buffer, int offset, int count) => Count(stream.Read(buffer, offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) =>
        throw new NotSupportedException("a request's body is read from start to end");

    public override void SetLength(long value) => throw new NotSupportedException("a request's body is read-only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("a request's body is read-only");

    private int Count(int read)
    {
        _read += read;
        return _read <= maxBytes ? read : throw tooLarge();
    }
}
