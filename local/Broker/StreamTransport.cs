using System.Buffers;
using System.IO.Pipelines;

namespace Sdxl.Local.Broker;

/// <summary>The library's frames over a socket's stream, plain or TLS. (The library's own transport is internal to it.)</summary>
internal sealed class StreamTransport(Stream stream, Socket socket) : TransportBase("sdxl-stream")
{
    private const int BufferBytes = 64 * 1024; // a frame

    // The library reads each frame in two steps, four bytes first, and writes it in several parts.
    private readonly PipeReader reader = PipeReader.Create(stream, new(bufferSize: BufferBytes));
    private readonly PipeWriter writer = PipeWriter.Create(stream, new(minimumBufferSize: BufferBytes));

    public override string LocalEndPoint { get; } = socket.LocalEndPoint!.ToString()!;
    public override string RemoteEndPoint { get; } = socket.RemoteEndPoint!.ToString()!;
    public override bool IsSecure => stream is SslStream;

    public override void SetMonitor(ITransportMonitor usageMeter) { }

    public override bool WriteAsync(TransportAsyncCallbackArgs args) => Run(args, WriteAllAsync(args));
    public override bool ReadAsync(TransportAsyncCallbackArgs args) => Run(args, ReadSomeAsync(args));

    protected override bool CloseInternal()
    {
        stream.Dispose();
        return true;
    }

    protected override void AbortInternal() => stream.Dispose();

    /// <returns>False: done already, and the callback is not called.</returns>
    private static bool Run(TransportAsyncCallbackArgs args, Task<int> work)
    {
        var isPending = !work.IsCompleted; // args belong to the next call as soon as the callback is called
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
        if (args.Buffer is not null)
            writer.Write(args.Buffer.AsSpan(args.Offset, args.Count));
        else
            foreach (var part in args.ByteBufferList)
                writer.Write(part.Buffer.AsSpan(part.Offset, part.Length));
        await writer.FlushAsync().ConfigureAwait(false);
        return args.Count;
    }

    private async Task<int> ReadSomeAsync(TransportAsyncCallbackArgs args)
    {
        var read = await reader.ReadAsync().ConfigureAwait(false);
        var part = read.Buffer.Slice(0, Math.Min(args.Count, read.Buffer.Length));
        part.CopyTo(args.Buffer.AsSpan(args.Offset));
        reader.AdvanceTo(part.End);
        return (int)part.Length;
    }
}
