namespace Sdxl.Core.Archives;

/// <summary>
/// A tar as TarReader is to see it. TarReader makes room for as many bytes as an extended header claims to have, up to 2 GiB, before it
/// reads one of them, and looks at no header's checksum: both are looked at here. It reads a header as one piece of 512 bytes, then an
/// extended header's text as another one.
/// </summary>
/// <param name="inner">Stays open.</param>
public sealed class TarHeaderGuard(Stream inner) : Stream
{
    private const long MostClaimed = 1 << 20;

    private bool _textFollows;

    /// <summary>What TarReader throws over bytes that are no tar, or half of one.</summary>
    public static bool IsDamage(Exception e) =>
        e is InvalidDataException or EndOfStreamException or FormatException or OverflowException or ArgumentException or IOException;

    public override bool CanRead => true;

    public override bool CanSeek => inner.CanSeek;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position { get => inner.Position; set => inner.Position = value; }

    /// <exception cref="InvalidDataException">A header whose checksum is another one, or that claims too much.</exception>
    public override int Read(Span<byte> buffer)
    {
        var read = inner.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        var isText = _textFollows;
        _textFollows = false;
        if (isText || read != TarHeader.Bytes || buffer.IndexOfAnyExcept((byte)0) < 0)
            return read;
        var place = inner.Position - TarHeader.Bytes;
        if (!HasItsChecksum(buffer))
            throw new InvalidDataException($"The tar's header at byte {place} does not have the checksum that it says.");
        if (IsExtended(buffer))
        {
            var claimed = Claimed(buffer);
            if (claimed > MostClaimed)
                throw new InvalidDataException($"The tar's extended header at byte {place} claims more than {MostClaimed} bytes.");
            _textFollows = claimed > 0;
        }
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override void Flush() => inner.Flush();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>pax: x of one entry, g of all that follow; GNU: L a long name, K a long link.</summary>
    private static bool IsExtended(ReadOnlySpan<byte> header) => header[156] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K';

    /// <summary>Twelve bytes at 124: octal digits, or a number of base 256 where the first one has its highest bit.</summary>
    private static long Claimed(ReadOnlySpan<byte> header)
    {
        var field = header.Slice(124, 12);
        if ((field[0] & 0x80) != 0)
            return long.MaxValue; // a number that eleven octal digits do not hold: 8 GiB and more
        long claimed = 0;
        foreach (var one in field)
        {
            if (one is >= (byte)'0' and <= (byte)'7')
                claimed = (claimed * 8) + (one - '0');
        }
        return claimed;
    }

    /// <summary>Some old programs summed the bytes as signed ones.</summary>
    private static bool HasItsChecksum(ReadOnlySpan<byte> header)
    {
        var (recorded, sum) = TarHeader.Checksum(header);
        if (recorded == sum)
            return true;
        foreach (var one in header[..148])
            sum -= one >= 0x80 ? 256 : 0;
        foreach (var one in header[156..])
            sum -= one >= 0x80 ? 256 : 0;
        return recorded == sum;
    }
}
