namespace Sdxl.Local.Broker;

/// <summary>The library's frames over a socket's stream, plain or TLS. (The library's own transport is internal to it.)</summary>
internal sealed class StreamTransport(Stream stream, Socket socket) : TransportBase("sdxl-stream")
{
    // The library reads each frame in two steps, four bytes first. (System.IO.Pipelines would be shorter, at half the messages a second.)
    private readonly byte[] ahead = new byte[16 * 1024];
    private Memory<byte> rest; // of what was read

    public override string LocalEndPoint { get; } = socket.LocalEndPoint!.ToString()!;
    public override string RemoteEndPoint { get; } = socket.RemoteEndPoint!.ToString()!;

    public override void SetMonitor(ITransportMonitor usageMeter) { }

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
        var isPending = !work.IsCompleted; // The arguments belong to the next call as soon as the callback is called.
        args.CompletedSynchronously = !isPending;
        if (isPending)
            work.GetAwaiter().UnsafeOnCompleted(Finish);
        else
            Finish();
        return isPending;

        void Finish()
        {
            args.Exception = work.Exception?.InnerException; // The connection's end: the library closes what stands on it.
            args.BytesTransfered = work.IsCompletedSuccessfully ? work.Result : 0;
            if (isPending)
                args.CompletedCallback(args);
        }
    }

    private async Task<int> WriteAllAsync(TransportAsyncCallbackArgs args)
    {
        var whole = args.Buffer is null ? new byte[args.Count] : args.Buffer.AsMemory(args.Offset, args.Count);
        var free = whole;
        foreach (var part in args.ByteBufferList ?? [])
        {
            part.Buffer.AsMemory(part.Offset, part.Length).CopyTo(free);
            free = free[part.Length..];
        }
        await stream.WriteAsync(whole).ConfigureAwait(false);
        return args.Count;
    }

    private async Task<int> ReadAheadAsync(TransportAsyncCallbackArgs args)
    {
        var target = args.Buffer.AsMemory(args.Offset, args.Count);
        if (rest.IsEmpty && target.Length >= ahead.Length)
            return await stream.ReadAsync(target).ConfigureAwait(false);
        if (rest.IsEmpty)
            rest = ahead.AsMemory(0, await stream.ReadAsync(ahead).ConfigureAwait(false));
        var count = Math.Min(target.Length, rest.Length);
        rest[..count].CopyTo(target);
        rest = rest[count..];
        return count;
    }
}
