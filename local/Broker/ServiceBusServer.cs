using Microsoft.Azure.Amqp.Sasl;

namespace Sdxl.Local.Broker;

/// <summary>
/// A Service Bus of one machine: the queues of Azure's, for its unmodified client, with the messages in one SQLite file. What is
/// acknowledged is on the disk. Sessions, transactions, topics and administration over HTTP are not offered.
/// </summary>
public sealed class ServiceBusServer : IAsyncDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30); // Clients send a sign of life at least every half of it.

    private readonly ServiceBusServerOptions options;
    private readonly ILogger logger;
    private readonly BrokerEngine engine;
    private readonly SocketListener socket;
    private readonly AmqpTransportListener listener;
    private readonly ConcurrentDictionary<AmqpConnection, bool> connections = [];

    private ServiceBusServer(ServiceBusServerOptions options, BrokerEngine engine, SocketListener socket, ILogger logger)
    {
        (this.options, this.engine, this.socket, this.logger) = (options, engine, socket, logger);
        var version = new AmqpVersion(1, 0, 0);
        var sasl = new SaslTransportProvider { Versions = { version } };
        sasl.AddHandler(new SaslAnonymousHandler("MSSBCBS")); // Names nobody: the tokens at $cbs do.
        var amqp = new AmqpTransportProvider { Versions = { version } };
        listener = new AmqpTransportListener([socket], new AmqpSettings { TransportProviders = { sasl, amqp } });
        listener.Open();
        listener.Listen((from, accepted) => _ = OpenAsync(accepted));
    }

    /// <summary>The TCP port that it listens on.</summary>
    public int Port => socket.Port;

    /// <summary>Opens the file and the port.</summary>
    /// <exception cref="InvalidDataException">The file is of another version; the text says what to do.</exception>
    /// <exception cref="IOException">The file is open in another process, or the port cannot be had.</exception>
    public static async Task<ServiceBusServer> StartAsync(
        ServiceBusServerOptions options, ILogger logger, CancellationToken cancellationToken = default)
    {
        // Opening reads the write-ahead log of a broker that was killed.
        var engine = await Task.Run(() => new BrokerEngine(options, logger), cancellationToken);
        try
        {
            var server = new ServiceBusServer(options, engine, new SocketListener(options, logger), logger);
            var names = string.Join(", ", options.Queues.Select(queue => queue.Name));
            logger.Listening(options.Address, server.Port, options.DatabasePath, names);
            return server;
        }
        catch (SocketException problem)
        {
            await engine.DisposeAsync();
            throw new IOException(
                $"The broker cannot listen on {options.Address}, port {options.Port}: {problem.Message}. "
                + "Choose an address of this machine and a free port.",
                problem);
        }
    }

    /// <summary>For a client that is given the key.</summary>
    /// <param name="keyName">One of the keys.</param>
    /// <param name="host">The name or address by which the client reaches this machine.</param>
    public string ConnectionString(string keyName, string host = "localhost")
    {
        var key = options.Keys.FirstOrDefault(key => key.Name == keyName) ?? throw new ArgumentException(
            $"No key '{keyName}'. Keys: {string.Join(", ", options.Keys.Select(key => key.Name))}.", nameof(keyName));
        // The client's word for plain TCP at a port of one's own.
        return $"Endpoint=sb://{host}:{Port}/;SharedAccessKeyName={key.Name};SharedAccessKey={key.Secret};UseDevelopmentEmulator=true";
    }

    /// <summary>What lies in a queue now.</summary>
    public Task<QueueCounts> CountAsync(string queue)
    {
        var name = engine.Find(queue).Name;
        return engine.RunAsync(store => store.Count(name));
    }

    /// <summary>Takes no more connections, ends those there are, finishes what they asked for, closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await Task.WhenAll(connections.Keys.Select(async connection =>
        {
            await connection.CloseAsync(CloseTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            connection.Abort();
        }));
        socket.CloseTransports();
        await engine.DisposeAsync();
    }

    private async Task OpenAsync(TransportAsyncCallbackArgs args)
    {
        var settings = new AmqpConnectionSettings { ContainerId = "sdxl-broker", IdleTimeOut = (uint)IdleTimeout.TotalMilliseconds };
        var connection = new ClientConnection(
            args.Transport, (ProtocolHeader)args.UserToken, listener.AmqpSettings, settings, engine, new Claims(options.Keys, options.Time),
            logger);
        connections[connection] = true;
        connection.SafeAddClosed((_, _) => connections.TryRemove(connection, out _));
        try
        {
            await connection.OpenAsync(AmqpConstants.DefaultTimeout);
        }
        catch (Exception problem)
        {
            logger.ConnectionFailed(args.Transport.RemoteEndPoint, problem.Message);
            connection.SafeClose(problem);
        }
    }
}
