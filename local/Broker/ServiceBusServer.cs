using Microsoft.Azure.Amqp.Sasl;

namespace Sdxl.Local.Broker;

/// <summary>
/// A Service Bus of one machine: the queues of Azure's, for its unmodified client, with the messages in one SQLite file. What is
/// acknowledged is on the disk. Sessions, transactions, topics and administration over HTTP are not offered.
/// </summary>
public sealed class ServiceBusServer : IAsyncDisposable
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly ServiceBusServerOptions options;
    private readonly ILogger logger;
    private readonly BrokerEngine engine;
    private readonly SocketListener socket;
    private readonly AmqpTransportListener listener;
    private readonly AmqpConnectionSettings connectionSettings;
    private readonly ConcurrentDictionary<AmqpConnection, bool> connections = [];

    private ServiceBusServer(ServiceBusServerOptions options, BrokerEngine engine, SocketListener socket, ILogger logger)
    {
        (this.options, this.engine, this.socket, this.logger) = (options, engine, socket, logger);
        var version = new AmqpVersion(1, 0, 0);
        var sasl = new SaslTransportProvider();
        sasl.Versions.Add(version);
        sasl.AddHandler(new SaslAnonymousHandler("MSSBCBS")); // Names nobody: the tokens at $cbs do.
        var amqp = new AmqpTransportProvider();
        amqp.Versions.Add(version);
        var settings = new AmqpSettings { RuntimeProvider = new LinkFactory(engine, options, logger) };
        settings.TransportProviders.Add(sasl);
        settings.TransportProviders.Add(amqp);
        listener = new AmqpTransportListener([socket], settings);
        connectionSettings = new() { ContainerId = "sdxl-broker", IdleTimeOut = (uint)options.IdleTimeout.TotalMilliseconds };
    }

    /// <summary>The TCP port that it listens on.</summary>
    public int Port => socket.Port;

    /// <summary>Opens the file and the port.</summary>
    /// <exception cref="ArgumentException">The options say something impossible.</exception>
    /// <exception cref="InvalidDataException">The file is of another version; the text says what to do.</exception>
    /// <exception cref="IOException">The file is open in another process, or the port cannot be had.</exception>
    public static async Task<ServiceBusServer> StartAsync(
        ServiceBusServerOptions options, ILogger logger, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        Check(options);
        // Opening reads the write-ahead log of a broker that was killed.
        var engine = await Task.Run(() => new BrokerEngine(options.DatabasePath, options.Queues, options.Time, logger), cancellationToken);
        try
        {
            var server = new ServiceBusServer(options, engine, Listen(options, logger), logger);
            server.listener.Open();
            server.listener.Listen((from, accepted) => _ = server.OpenAsync(accepted));
            var names = string.Join(", ", options.Queues.Select(queue => queue.Name));
            logger.Listening(options.Address.ToString(), server.Port, options.DatabasePath, names);
            return server;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    /// <summary>For a client that is given the key.</summary>
    /// <param name="keyName">One of the keys.</param>
    /// <param name="host">The name or address by which the client reaches this machine.</param>
    public string ConnectionString(string keyName, string host = "localhost")
    {
        var key = Key(keyName);
        return $"{Endpoint(host)};SharedAccessKeyName={key.Name};SharedAccessKey={key.Secret}{Flag}";
    }

    /// <summary>For a client that may use one queue for some time and learns no key; it cannot be renewed.</summary>
    /// <param name="keyName">The key that signs; its rights are what the client gets.</param>
    /// <param name="queue">The queue, with its dead-letter queue.</param>
    /// <param name="lifetime">From now; open links are closed at its end.</param>
    /// <param name="host">The name or address by which the client reaches this machine; the signature holds for this one only.</param>
    public string ScopedConnectionString(string keyName, string queue, TimeSpan lifetime, string host = "localhost")
    {
        var resource = $"amqp://{host}/{engine.Find(queue).Name}";
        var signature = SharedAccessSignature.Create(Key(keyName), resource, options.Time.GetUtcNow() + lifetime);
        return $"{Endpoint(host)};SharedAccessSignature={signature}{Flag}";
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

    private string Flag => options.Certificate is null ? ";UseDevelopmentEmulator=true" : "";

    private static void Check(ServiceBusServerOptions options)
    {
        if (options.Keys.Count == 0 || options.Keys.FirstOrDefault(key => key.Name.Length == 0 || key.Secret.Length < 16) is not null)
            throw new ArgumentException("The broker needs a key, each key a name and a secret of 16 characters or more.", nameof(options));
        foreach (var queue in options.Queues)
        {
            if (queue.Name.Trim('/') is "" || !queue.Name.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./".Contains(letter)))
                throw new ArgumentException($"'{queue.Name}' is no name for a queue: use letters, digits and '-_./'.", nameof(options));
            if (queue.MaxDeliveryCount < 1 || queue.LockDuration <= TimeSpan.Zero || queue.DefaultTimeToLive <= TimeSpan.Zero)
                throw new ArgumentException($"Queue '{queue.Name}': delivery count, lock and life must be above 0.", nameof(options));
        }
    }

    private static SocketListener Listen(ServiceBusServerOptions options, ILogger logger)
    {
        try
        {
            return new SocketListener(options.Address, options.Port, options.Certificate, logger);
        }
        catch (SocketException problem)
        {
            throw new IOException(
                $"The broker cannot listen on {options.Address}, port {options.Port}: {problem.Message}. "
                + "Choose an address of this machine and a free port.",
                problem);
        }
    }

    private AccessKey Key(string name) => options.Keys.FirstOrDefault(key => key.Name == name)
        ?? throw new ArgumentException($"No key '{name}'. Keys: {string.Join(", ", options.Keys.Select(key => key.Name))}.", nameof(name));

    private string Endpoint(string host) => $"Endpoint=sb://{host}:{Port}/";

    private async Task OpenAsync(TransportAsyncCallbackArgs args)
    {
        var connection = listener.AmqpSettings.RuntimeProvider.CreateConnection(
            args.Transport, (ProtocolHeader)args.UserToken, false, listener.AmqpSettings, connectionSettings.Clone());
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
