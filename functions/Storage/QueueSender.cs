using System.Collections.Concurrent;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Json;
using Sdxl.Core.Telemetry;

namespace Sdxl.Functions.Storage;

/// <summary>Where messages go.</summary>
public interface IMessageQueues
{
    /// <param name="messageId">Duplicate detection drops a repetition.</param>
    /// <param name="due">When the queue is to show it; null: at once.</param>
    Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default);
}

/// <summary>Sends messages to Service Bus queues.</summary>
public sealed class QueueSender(ServiceBusClient client) : IMessageQueues
{
    private readonly ConcurrentDictionary<string, ServiceBusSender> _senders = new();

    public Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default)
    {
        var message = new ServiceBusMessage(BinaryData.FromString(SdxlJson.Serialize(body)))
        {
            MessageId = messageId,
            ContentType = "application/json",
        };
        if (due is { } time)
            message.ScheduledEnqueueTime = time;
        MessageTrace.Inject(message.ApplicationProperties);
        return _senders.GetOrAdd(queue, client.CreateSender).SendMessageAsync(message, cancel);
    }
}
