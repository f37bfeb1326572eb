using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Functions;

/// <summary>The local broker with one queue, "jobs", whose messages are buried after two deliveries.</summary>
internal sealed class TestBus : IAsyncDisposable
{
    private const string Queue = "jobs";

    private readonly ServiceBusServer server;
    private readonly ServiceBusClient client;

    private TestBus(ServiceBusServer server) => (this.server, client) = (server, new ServiceBusClient(server.ConnectionString("test")));

    public string ConnectionString => server.ConnectionString("test");

    public static async Task<TestBus> StartAsync(string database) => new(await ServiceBusServer.StartAsync(
        new()
        {
            DatabasePath = database,
            Keys = [AccessKey.Create("test")],
            Queues = [new(Queue) { MaxDeliveryCount = 2 }],
        },
        NullLogger.Instance));

    public async Task Send(string messageId, string body, params (string Name, object Value)[] properties)
    {
        await using var sender = client.CreateSender(Queue);
        var message = new ServiceBusMessage(body) { MessageId = messageId };
        foreach (var (name, value) in properties)
            message.ApplicationProperties[name] = value;
        await sender.SendMessageAsync(message);
    }

    /// <summary>Waits until every message is completed, those in the dead-letter queue too.</summary>
    public async Task Emptied()
    {
        using var patience = new CancellationTokenSource(TestHost.Patience);
        while (await server.CountAsync(Queue) != default)
            await Task.Delay(20, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await server.DisposeAsync();
    }
}
