namespace Sdxl.Local.Broker;

/// <summary>The library's frames over a socket's stream, plain or TLS. (The library's own transport is internal to it.)</summary>
internal sealed class StreamTransport(Stream stream, Socket socket) : TransportBase("sdxl-stream")
{
    // The library reads each frame in two steps, four bytes first.
    private readonly byte[] ahead = new byte[16 * 1024];
    private int aheadStart;
    private int aheadEnd;

    public override string LocalEndPoint { get; } = socket.LocalEndPoint!.ToString()!;

    public override string RemoteEndPoint { get; } = socket.RemoteEndPoint!.ToString()!;

    public override bool IsSecure => stream is SslStream;

    public override void SetMonitor(ITransportMonitor usageMeter)
    {
    }

    public override bool WriteAsync(TransportAsyncCallbackArgs args) => Run(args, WriteAllAsync(args));

    public override bool ReadAsync(TransportAsyncCallbackArgs args) => Run(args, ReadAheadAsync(args));

    protected override bool CloseInternal()
    {
        stream.Dispose();
        return true;
    }

    protected override void AbortInternal() => stream.Dispose();

    /// <returns>False: done already, and the callback is not called.</returns>
    private static bool Run(TransportAsyncCallbackArgs args, Task<int> work)
    {
        args.CompletedSynchronously = work.IsCompleted;
        if (args.CompletedSynchronously)
            Finish();
        else
            work.GetAwaiter().UnsafeOnCompleted(() =>
            {
                Finish();
                args.CompletedCallback(args);
            });
        return !args.CompletedSynchronously;

        void Finish() // A failure is the connection's end: the library closes what stands on it.
        {
            args.Exception = work.Exception?.InnerException;
            args.BytesTransfered = work.IsCompletedSuccessfully ? work.Result : 0;
        }
    }

    private async Task<int> WriteAllAsync(TransportAsyncCallbackArgs args)
    {
        if (args.Buffer is not null)
        {
            await stream.WriteAsync(args.Buffer.AsMemory(args.Offset, args.Count)).ConfigureAwait(false);
            return args.Count;
        }
        var (joined, end) = (new byte[args.Count], 0);
        foreach (var part in args.ByteBufferList)
        {
            part.Buffer.AsSpan(part.Offset, part.Length).CopyTo(joined.AsSpan(end));
            end += part.Length;
        }
        await stream.WriteAsync(joined).ConfigureAwait(false);
        return end;
    }

    private async Task<int> ReadAheadAsync(TransportAsyncCallbackArgs args)
    {
        var target = args.Buffer.AsMemory(args.Offset, args.Count);
        if (aheadStart == aheadEnd)
        {
            if (target.Length >= ahead.Length)
                return await stream.ReadAsync(target).ConfigureAwait(false);
            (aheadStart, aheadEnd) = (0, await stream.ReadAsync(ahead).ConfigureAwait(false));
        }
        var count = Math.Min(target.Length, aheadEnd - aheadStart);
        ahead.AsMemory(aheadStart, count).CopyTo(target);
        aheadStart += count;
        return count;
    }
}
