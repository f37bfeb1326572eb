using System.Runtime.CompilerServices;

namespace Sdxl.Local.Broker;

/// <summary>
/// Accepts TCP connections on exactly one address. The library's own listener opens every interface for "localhost", and for any other
/// name or address first resolves this machine's own name and fails where it has none.
/// </summary>
internal sealed class SocketListener : TransportListener
{
    // As the system has them: a buffer that is named is the socket's too, and one below a frame's 64 KiB makes large messages wait.
    private static readonly TcpTransportSettings Settings = new();

    private readonly TcpListener listener;
    private readonly ILogger logger;
    private readonly CancellationTokenSource ending = new();
    private volatile bool isClosed;

    /// <exception cref="SocketException">The address is not this machine's, or the port is taken.</exception>
    public SocketListener(ServiceBusServerOptions options, ILogger logger) : base("sdxl-listener")
    {
        (this.logger, listener) = (logger, new TcpListener(options.Address, options.Port));
        if (options.Address.Equals(IPAddress.IPv6Any))
            listener.Server.DualMode = true;
        listener.Start();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Ends what is open or still opens, also what has not yet said what it wants, which no connection stands on so far.</summary>
    public void CloseTransports() => ending.Cancel();

    protected override void OnListen() => _ = AcceptAsync();

    protected override bool CloseInternal()
    {
        isClosed = true;
        listener.Dispose();
        return true;
    }

    protected override void AbortInternal() => CloseInternal();

    private async Task AcceptAsync()
    {
        while (!isClosed)
        {
            try
            {
                Open(await listener.AcceptSocketAsync());
            }
            catch (Exception problem) when (problem is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                logger.ConnectionFailed("?", problem.Message); // A client that left before it was taken; or the end, which stops the loop.
            }
        }
    }

    private void Open(Socket socket)
    {
        var client = socket.RemoteEndPoint?.ToString() ?? "?";
        try
        {
            socket.NoDelay = true;
            var transport = (TransportBase)NewTransport(socket, Settings);
            transport.Open();
            var end = ending.Token.Register(transport.Abort);
            transport.SafeAddClosed((_, _) => end.Dispose());
            logger.Connected(client);
            OnTransportAccepted(new TransportAsyncCallbackArgs { Transport = transport });
        }
        catch (Exception problem)
        {
            logger.ConnectionFailed(client, problem.Message);
            socket.Dispose();
        }
    }

    /// <summary>The library's transport over a socket, which is internal to it. Where another version has none, no test connects.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    [return: UnsafeAccessorType("Microsoft.Azure.Amqp.Transport.TcpTransport, Microsoft.Azure.Amqp")]
    private static extern object NewTransport(Socket socket, TcpTransportSettings settings);
}
