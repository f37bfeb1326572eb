using Azure.Messaging.ServiceBus;
using Google.Protobuf;

namespace Sdxl.Local.Functions.Triggers;

/// <summary>
/// Fires one Service Bus function: peek-lock with renewal while it runs; completed when it succeeds, given back later when it fails.
/// </summary>
internal sealed class ServiceBusTrigger(
    FunctionInfo function, FunctionsHostOptions options, HostJson limits, FunctionInvoker invoker, ILogger logger) : ITrigger
{
    private const string UsualConnection = "AzureWebJobsServiceBus";

    private readonly CancellationTokenSource stopping = new();
    private readonly CancellationTokenSource cancelled = new();
    private ServiceBusClient? client;
    private ServiceBusProcessor? processor;

    public async Task StartAsync()
    {
        var setting = function.Trigger.Text("connection") ?? UsualConnection;
        if (!options.Settings.TryGetValue(setting, out var connection))
            throw new InvalidOperationException($"setting '{setting}' is missing. Set it to the Service Bus's connection string.");
        client = options.ConnectServiceBus(connection);
        var settings = new ServiceBusProcessorOptions
        {
            MaxConcurrentCalls = limits.MaxConcurrentCalls,
            AutoCompleteMessages = function.Trigger.Flag("autoCompleteMessages") ?? limits.AutoCompleteMessages,
            MaxAutoLockRenewalDuration = limits.MaxAutoLockRenewal,
            PrefetchCount = 0, // a message fetched ahead ages under its lock
        };
        processor = function.Trigger.Text("topicName") is { } topic
            ? client.CreateProcessor(
                options.Settings.Resolve(topic), options.Settings.Resolve(function.Trigger.Text("subscriptionName")!), settings)
            : client.CreateProcessor(options.Settings.Resolve(function.Trigger.Text("queueName")!), settings);
        processor.ProcessMessageAsync += HandleAsync;
        processor.ProcessErrorAsync += failed =>
        {
            // The processor goes on by itself; what the function threw is logged where it is known.
            if (failed.ErrorSource != ServiceBusErrorSource.ProcessMessageCallback)
                logger.QueueFailed(failed.EntityPath, failed.ErrorSource.ToString(), failed.Exception.Message);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
    }

    public async Task StopAsync(TimeSpan patience)
    {
        await stopping.CancelAsync();
        cancelled.CancelAfter(patience);
        if (processor is not null)
        {
            await processor.StopProcessingAsync(); // waits for the running ones
            await processor.DisposeAsync();
        }
        if (client is not null)
            await client.DisposeAsync();
    }

    private async Task HandleAsync(ProcessMessageEventArgs received)
    {
        var message = received.Message;
        string error;
        try
        {
            var response = await invoker.InvokeAsync(function.Name, Body(message), Metadata(message), cancelled.Token);
            if (response.Succeeded())
                return;
            error = response.Error();
        }
        catch (Exception exception)
        {
            error = exception.Message; // no worker, no such function any more: the message is given back all the same
        }
        logger.MessageFailed(function.Name, message.MessageId, received.EntityPath, message.DeliveryCount, error);
        // Still locked: redelivered at once, a message that needs something to come back would use up its deliveries within a second.
        var pause = options.RedeliveryPause * Math.Pow(2, Math.Min(message.DeliveryCount - 1, 16));
        await Task.Delay(pause < options.LongestRedeliveryPause ? pause : options.LongestRedeliveryPause, stopping.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await received.AbandonMessageAsync(message);
    }

    private TypedData Body(ServiceBusReceivedMessage message) =>
        string.Equals(function.Trigger.Text("dataType"), "Binary", StringComparison.OrdinalIgnoreCase)
        ? new TypedData { Bytes = ByteString.CopyFrom(message.Body.ToMemory().Span) }
        : Typed.Text(message.Body.ToString());

    /// <summary>What parameters may bind to by name; left out where the message does not say it.</summary>
    private static Dictionary<string, TypedData> Metadata(ServiceBusReceivedMessage message)
    {
        var metadata = new Dictionary<string, TypedData>
        {
            ["DeliveryCount"] = Typed.Json(message.DeliveryCount),
            ["SequenceNumber"] = Typed.Json(message.SequenceNumber),
            ["EnqueuedTimeUtc"] = Typed.Json(message.EnqueuedTime.UtcDateTime),
            ["ExpiresAtUtc"] = Typed.Json(message.ExpiresAt.UtcDateTime),
            ["ApplicationProperties"] = Typed.Json(message.ApplicationProperties),
            ["UserProperties"] = Typed.Json(message.ApplicationProperties), // the name of earlier versions
        };
        foreach (var (name, text) in (ReadOnlySpan<(string, string?)>)[
            ("MessageId", message.MessageId), ("ContentType", message.ContentType), ("CorrelationId", message.CorrelationId),
            ("Subject", message.Subject), ("Label", message.Subject), ("To", message.To), ("ReplyTo", message.ReplyTo),
            ("SessionId", message.SessionId), ("LockToken", message.LockToken),
            ("DeadLetterSource", message.DeadLetterSource), ("DeadLetterReason", message.DeadLetterReason),
            ("DeadLetterErrorDescription", message.DeadLetterErrorDescription),
        ])
        {
            if (text is not null)
                metadata[name] = Typed.Text(text);
        }
        return metadata;
    }
}
