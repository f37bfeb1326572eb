using System.Collections.Concurrent;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Json;
using Sdxl.Core.Telemetry;

namespace Sdxl.Functions.Storage;

/// <summary>Sends messages to Service Bus queues; the message id is the caller's, so duplicate detection drops repetitions.</summary>
public sealed class QueueSender(ServiceBusClient client)
{
    private readonly ConcurrentDictionary<string, ServiceBusSender> _senders = new();

    public Task SendAsync<T>(string queue, string messageId, T body, CancellationToken cancel = default)
    {
        var message = new ServiceBusMessage(BinaryData.FromString(SdxlJson.Serialize(body))) { MessageId = messageId, ContentType = "application/json" };
        MessageTrace.Inject(message.ApplicationProperties);
        return _senders.GetOrAdd(queue, client.CreateSender).SendMessageAsync(message, cancel);
    }
}
