namespace SixLabors.ImageSharp.Formats;

/// <summary>Brings an encoded picture into memory: decoders work on bytes, from where the stream stands to its end.</summary>
internal static class EncodedBytes
{
    public delegate T Work<out T>(ReadOnlySpan<byte> bytes);

    public static T Read<T>(DecoderOptions options, Stream stream, Work<T> work)
    {
        Check(options, stream);
        if (TryBorrow(stream, out var own))
            return Borrowed((MemoryStream)stream, own, work);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return work(copy.GetBuffer().AsSpan(0, (int)copy.Length));
    }

    public static async Task<T> ReadAsync<T>(DecoderOptions options, Stream stream, Work<T> work, CancellationToken cancellationToken)
    {
        Check(options, stream);
        cancellationToken.ThrowIfCancellationRequested();
        if (TryBorrow(stream, out var own))
            return Borrowed((MemoryStream)stream, own, work);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
        return work(copy.GetBuffer().AsSpan(0, (int)copy.Length));
    }

    public static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096, FileOptions.Asynchronous);

    /// <summary>The real library wraps a span in a stream over its pointer, and an empty span has none.</summary>
    /// <exception cref="ArgumentNullException">No bytes (an empty stream is an unknown format instead).</exception>
    public static ReadOnlySpan<byte> NotEmpty(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? throw new ArgumentNullException("pointer") : bytes;

    private static void Check(DecoderOptions options, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead)
            throw new NotSupportedException("Cannot read from the stream.");
    }

    private static bool TryBorrow(Stream stream, out ArraySegment<byte> bytes)
    {
        bytes = default;
        return stream is MemoryStream memory && memory.TryGetBuffer(out bytes);
    }

    private static T Borrowed<T>(MemoryStream stream, ArraySegment<byte> bytes, Work<T> work)
    {
        var from = (int)Math.Min(stream.Position, bytes.Count);
        var result = work(bytes.AsSpan(from));
        // Like the copy: the stream stands at its end afterwards.
        stream.Position = stream.Length;
        return result;
    }
}
