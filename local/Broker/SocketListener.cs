using System.Security.Cryptography.X509Certificates;

namespace Sdxl.Local.Broker;

/// <summary>
/// Accepts TCP (with a certificate, TLS) connections on exactly one address. The library's own listener opens every interface for
/// "localhost", and for any other name or address first resolves this machine's own name and fails where it has none.
/// </summary>
internal sealed class SocketListener : TransportListener
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(20);

    private readonly TcpListener listener;
    private readonly X509Certificate2? certificate;
    private readonly ILogger logger;
    private readonly CancellationTokenSource ending = new();
    private volatile bool isClosed;

    /// <exception cref="SocketException">The address is not this machine's, or the port is taken.</exception>
    public SocketListener(ServiceBusServerOptions options, ILogger logger) : base("sdxl-listener")
    {
        (certificate, this.logger, listener) = (options.Certificate, logger, new TcpListener(options.Address, options.Port));
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
                _ = OpenAsync(await listener.AcceptSocketAsync());
            }
            catch (Exception problem) when (problem is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                logger.ConnectionFailed("?", problem.Message); // A client that left before it was taken; or the end, which stops the loop.
            }
        }
    }

    private async Task OpenAsync(Socket socket)
    {
        var client = socket.RemoteEndPoint?.ToString() ?? "?";
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            socket.NoDelay = true;
            if (certificate is not null)
            {
                var secure = new SslStream(stream);
                stream = secure;
                await secure.AuthenticateAsServerAsync(new() { ServerCertificate = certificate }, ending.Token).WaitAsync(HandshakeTimeout);
            }
            var transport = new StreamTransport(stream, socket);
            transport.Open();
            var end = ending.Token.Register(transport.Abort);
            transport.SafeAddClosed((_, _) => end.Dispose());
            logger.Connected(client);
            OnTransportAccepted(new TransportAsyncCallbackArgs { Transport = transport });
        }
        catch (Exception problem)
        {
            logger.ConnectionFailed(client, problem.Message);
            await stream.DisposeAsync();
        }
    }
}
