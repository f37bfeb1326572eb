using Azure.Core;
using Azure.Messaging.ServiceBus;

namespace Sdxl.Tests.Polyfills.Azure;

/// <summary>The members of the Service Bus client that the product and local/ use; see <see cref="DurableSignatures"/>.</summary>
internal static class ServiceBusSignatures
{
    public static async Task Sending(TokenCredential credential, CancellationToken cancel)
    {
        await using var client = new ServiceBusClient("Endpoint=sb://name.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k");
        await using var withIdentity = new ServiceBusClient("name.servicebus.windows.net", credential);
        ServiceBusSender sender = client.CreateSender("queue");
        var message = new ServiceBusMessage("body")
        {
            Body = BinaryData.FromString("body"), MessageId = "id", CorrelationId = "c", SessionId = "s", Subject = "s", ContentType = "t", To = "t", ReplyTo = "r",
            ReplyToSessionId = "r", TimeToLive = TimeSpan.FromHours(1), ScheduledEnqueueTime = DateTimeOffset.UnixEpoch, ApplicationProperties = { ["a"] = 1 },
        };
        await sender.SendMessageAsync(message, cancel);
        await sender.SendMessagesAsync([message, new ServiceBusMessage(new byte[1]), new ServiceBusMessage(BinaryData.FromString("b"))], cancel);
        long number = await sender.ScheduleMessageAsync(message, DateTimeOffset.UnixEpoch, cancel);
        await sender.CancelScheduledMessageAsync(number, cancel);
        _ = (client.FullyQualifiedNamespace, client.IsClosed, client.Identifier, client.TransportType, sender.EntityPath, sender.IsClosed);
    }

    public static async Task Receiving(ServiceBusClient client, CancellationToken cancel)
    {
        await using ServiceBusReceiver receiver = client.CreateReceiver("queue", new ServiceBusReceiverOptions
        {
            SubQueue = SubQueue.DeadLetter, ReceiveMode = ServiceBusReceiveMode.PeekLock, PrefetchCount = 0, Identifier = "me",
        });
        ServiceBusReceivedMessage? message = await receiver.ReceiveMessageAsync(TimeSpan.FromSeconds(1), cancel);
        IReadOnlyList<ServiceBusReceivedMessage> several = await receiver.ReceiveMessagesAsync(10, TimeSpan.FromSeconds(1), cancel);
        await receiver.CompleteMessageAsync(message, cancel);
        await receiver.AbandonMessageAsync(message, new Dictionary<string, object> { ["a"] = 1 }, cancel);
        await receiver.AbandonMessageAsync(message, cancellationToken: cancel);
        await receiver.DeadLetterMessageAsync(message, "reason", "description", cancel);
        await receiver.DeferMessageAsync(message, null, cancel);
        await receiver.RenewMessageLockAsync(message, cancel);
        ServiceBusReceivedMessage deferred = await receiver.ReceiveDeferredMessageAsync(1, cancel), peeked = await receiver.PeekMessageAsync(1, cancel);
        await receiver.CloseAsync(cancel);
        _ = (several, deferred, peeked, receiver.EntityPath, receiver.ReceiveMode, receiver.PrefetchCount, receiver.IsClosed);
    }

    public static void Reading(ServiceBusReceivedMessage message, ServiceBusException error)
    {
        (BinaryData, string, string, string, string, string) text = (message.Body, message.MessageId, message.CorrelationId, message.SessionId, message.Subject, message.ContentType);
        (string, DateTimeOffset, int, long, DateTimeOffset, DateTimeOffset) state =
            (message.LockToken, message.LockedUntil, message.DeliveryCount, message.SequenceNumber, message.EnqueuedTime, message.ExpiresAt);
        (string, string, string, ServiceBusMessageState) end = (message.DeadLetterReason, message.DeadLetterErrorDescription, message.DeadLetterSource, message.State);
        IReadOnlyDictionary<string, object> properties = message.ApplicationProperties;
        IDictionary<string, object> annotations = message.GetRawAmqpMessage().MessageAnnotations;
        (bool, ServiceBusFailureReason, string) failure = (error.IsTransient, error.Reason, error.EntityPath);
        _ = (text, state, end, properties, annotations, failure, new ServiceBusMessage(message),
            new ServiceBusException("m", ServiceBusFailureReason.MessageLockLost, "queue"), new ServiceBusException(true, "m"));
    }
}
