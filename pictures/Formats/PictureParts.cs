namespace Sdxl.Pictures.Formats;

/// <summary>
/// The parts of a file that a decoder may see, one after the other, beside small pieces written here: what was checked and is needed,
/// nothing else. The file itself is not copied.
/// </summary>
internal sealed class PictureParts
{
    private readonly List<(long Start, ReadOnlyMemory<byte> Bytes)> _parts = [];

    public long Length { get; private set; }

    public void Add(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        _parts.Add((Length, bytes));
        Length += bytes.Length;
    }

    /// <summary>From an index of the file to another.</summary>
    public void Add(byte[] file, long from, long to) => Add(file.AsMemory((int)from, (int)(to - from)));

    public IEnumerable<ReadOnlyMemory<byte>> All => _parts.Select(part => part.Bytes);

    /// <summary>Appends all of these to others.</summary>
    public void CopyTo(PictureParts others) => _parts.ForEach(part => others.Add(part.Bytes));

    public Stream OpenRead() => new PartsStream(this);

    /// <summary>Read-only and seekable, as ImageSharp wants it.</summary>
    private sealed class PartsStream(PictureParts parts) : Stream
    {
        private int _index;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => parts.Length;

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = 0;
            while (read < buffer.Length && Position < Length)
            {
                var (start, bytes) = Part();
                var rest = bytes.Span[(int)(Position - start)..];
                var count = Math.Min(rest.Length, buffer.Length - read);
                rest[..count].CopyTo(buffer[read..]);
                read += count;
                Position += count;
            }
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin)
        {
            var to = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => Position, _ => Length };
            return Position = to >= 0 ? to : throw new IOException($"Cannot seek to {to}: it lies before the beginning.");
        }

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        /// <summary>The part that holds the position; mostly the last one asked for or the one behind it.</summary>
        private (long Start, ReadOnlyMemory<byte> Bytes) Part()
        {
            while (Position < parts._parts[_index].Start)
                _index--;
            while (Position >= parts._parts[_index].Start + parts._parts[_index].Bytes.Length)
                _index++;
            return parts._parts[_index];
        }
    }
}
