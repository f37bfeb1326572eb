using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Broker;

/// <summary>
/// The Service Bus that <see cref="ServiceBusTests"/> run against: the one of SDXL_SERVICEBUS_CONNECTION (Azure, the official emulator, …),
/// which must have the queues below with these settings, empty; or else a broker of ours in this process.
/// </summary>
public sealed class AnyServiceBus : IAsyncLifetime
{
    public static readonly TimeSpan LockDuration = TimeSpan.FromSeconds(5); // Azure's least.

    public static readonly QueueSettings Queue = new("contract") { LockDuration = LockDuration, MaxDeliveryCount = 3 };

    public static readonly QueueSettings Unique = new("contract-unique")
    {
        LockDuration = LockDuration,
        DuplicateDetectionWindow = TimeSpan.FromMinutes(1),
    };

    private readonly TempFolder folder = new();
    private ServiceBusServer? server;

    public string ConnectionString { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("SDXL_SERVICEBUS_CONNECTION") is { Length: > 0 } given)
        {
            ConnectionString = given;
            return;
        }
        server = await ServiceBusServer.StartAsync(
            new() { DatabasePath = folder.File("broker.db"), Queues = [Queue, Unique], Keys = [AccessKey.Create("root")] },
            NullLogger.Instance);
        ConnectionString = server.ConnectionString("root");
    }

    public ServiceBusClient Connect()
    {
        var options = new ServiceBusClientOptions { RetryOptions = new() { MaxRetries = 3, Delay = TimeSpan.FromMilliseconds(100) } };
        return new(ConnectionString, options);
    }

    public async Task DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        folder.Dispose();
    }
}
