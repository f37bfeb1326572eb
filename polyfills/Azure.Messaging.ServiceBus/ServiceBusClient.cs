using Azure.Core;

namespace Azure.Messaging.ServiceBus;

/// <summary>Makes senders and receivers for the queues of one namespace.</summary>
public class ServiceBusClient : IAsyncDisposable
{
    private readonly string fullyQualifiedNamespace;

    protected ServiceBusClient()
    {
    }

    public ServiceBusClient(string connectionString)
        : this(connectionString, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string connectionString, ServiceBusClientOptions options)
    {
        fullyQualifiedNamespace = NamespaceOf(connectionString);
        TransportType = options?.TransportType ?? default;
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential)
        : this(fullyQualifiedNamespace, credential, new ServiceBusClientOptions())
    {
    }

    public ServiceBusClient(string fullyQualifiedNamespace, TokenCredential credential, ServiceBusClientOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(fullyQualifiedNamespace);
        ArgumentNullException.ThrowIfNull(credential);
        this.fullyQualifiedNamespace = fullyQualifiedNamespace;
        TransportType = options?.TransportType ?? default;
    }

    public virtual string FullyQualifiedNamespace => fullyQualifiedNamespace;

    public virtual bool IsClosed { get; internal set; }

    public virtual string Identifier => fullyQualifiedNamespace;

    public ServiceBusTransportType TransportType { get; }

    public virtual ServiceBusSender CreateSender(string queueOrTopicName) => CreateSender(queueOrTopicName, new ServiceBusSenderOptions());

    public virtual ServiceBusSender CreateSender(string queueOrTopicName, ServiceBusSenderOptions options) =>
        new(FullyQualifiedNamespace, queueOrTopicName);

    public virtual ServiceBusReceiver CreateReceiver(string queueName) => CreateReceiver(queueName, new ServiceBusReceiverOptions());

    public virtual ServiceBusReceiver CreateReceiver(string queueName, ServiceBusReceiverOptions options) =>
        new(FullyQualifiedNamespace, queueName, options);

    public virtual ValueTask DisposeAsync()
    {
        IsClosed = true;
        GC.SuppressFinalize(this);
        return default;
    }

    private static string NamespaceOf(string connectionString)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        var endpoint = connectionString.Split(';').FirstOrDefault(part => part.StartsWith("Endpoint=", StringComparison.OrdinalIgnoreCase))?["Endpoint=".Length..];
        return Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)
            ? uri.Host
            : throw new FormatException("The Service Bus connection string has no valid 'Endpoint=sb://...' part.");
    }
}

/// <summary>Settings of a client.</summary>
public class ServiceBusClientOptions
{
    public ServiceBusTransportType TransportType { get; set; }

    public string Identifier { get; set; }
}
