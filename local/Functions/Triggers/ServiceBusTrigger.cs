using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Functions.Triggers;

/// <summary>Fires one Service Bus function, its message locked; completed when it succeeds, given back later when it fails.</summary>
internal sealed class ServiceBusTrigger(FunctionInfo function, HostContext host, WorkerSupervisor supervisor)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    /// <returns>Ends with the host, after the functions that run then.</returns>
    /// <exception cref="InvalidOperationException">The binding or a setting is wrong; the message says what to do.</exception>
    public async Task<Task> StartAsync()
    {
        var (settings, trigger) = (host.Options.Settings, function.Trigger);
        var setting = trigger.Text("connection") ?? "AzureWebJobsServiceBus";
        if (!settings.TryGetValue(setting, out var connection))
            throw new InvalidOperationException($"setting '{setting}' is missing. Set it to the Service Bus's connection string.");
        var options = new ServiceBusProcessorOptions
        {
            MaxConcurrentCalls = host.HostJson.MaxConcurrentCalls,
            AutoCompleteMessages = trigger.Flag("autoCompleteMessages") ?? host.HostJson.AutoCompleteMessages,
            MaxAutoLockRenewalDuration = host.HostJson.MaxAutoLockRenewal,
            PrefetchCount = 0, // a message fetched ahead ages under its lock
        };
        var queue = settings.Resolve(trigger.Text("queueName") ?? throw new InvalidOperationException(
            "it names no queue, and this host serves no topics. Name a queue in its attribute."));
        var client = new ServiceBusClient(connection);
        var processor = client.CreateProcessor(queue, options);
        processor.ProcessMessageAsync += HandleAsync;
        processor.ProcessErrorAsync += failed =>
        {
            // The processor goes on by itself; what the function threw is logged where it is known.
            if (failed.ErrorSource != ServiceBusErrorSource.ProcessMessageCallback)
                host.Logger.QueueFailed(failed.EntityPath, failed.ErrorSource, failed.Exception.Message);
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        return StopWithHostAsync(client, processor);
    }

    private async Task StopWithHostAsync(ServiceBusClient client, ServiceBusProcessor processor)
    {
        await Task.Delay(Timeout.Infinite, host.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await processor.StopProcessingAsync();
        await processor.DisposeAsync();
        await client.DisposeAsync();
    }

    private async Task HandleAsync(ProcessMessageEventArgs received)
    {
        var message = received.Message;
        if (await supervisor.TryInvokeAsync(function, Typed.Text(message.Body.ToString()), Metadata(message)) is not { } error)
            return;
        host.Logger.MessageFailed(function.Name, message.MessageId, received.EntityPath, message.DeliveryCount, error);
        // Still locked: redelivered at once, a message that needs something to come back would use up its deliveries within a second.
        var pause = host.Options.RedeliveryPause * Math.Pow(2, Math.Min(message.DeliveryCount - 1, 16));
        await Task.Delay(pause < LongestPause ? pause : LongestPause, host.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await received.AbandonMessageAsync(message);
    }

    /// <summary>What parameters may bind to by name; left out where the message does not say it.</summary>
    private static Dictionary<string, TypedData> Metadata(ServiceBusReceivedMessage message)
    {
        var texts = new Dictionary<string, string?>
        {
            ["MessageId"] = message.MessageId, ["ContentType"] = message.ContentType, ["CorrelationId"] = message.CorrelationId,
            ["Subject"] = message.Subject, ["Label"] = message.Subject, ["To"] = message.To, ["ReplyTo"] = message.ReplyTo,
            ["SessionId"] = message.SessionId, ["LockToken"] = message.LockToken, ["DeadLetterSource"] = message.DeadLetterSource,
            ["DeadLetterReason"] = message.DeadLetterReason, ["DeadLetterErrorDescription"] = message.DeadLetterErrorDescription,
        };
        return new(texts.Where(text => text.Value is not null).ToDictionary(text => text.Key, text => Typed.Text(text.Value!)))
        {
            ["DeliveryCount"] = Typed.Json(message.DeliveryCount),
            ["SequenceNumber"] = Typed.Json(message.SequenceNumber),
            ["EnqueuedTimeUtc"] = Typed.Json(message.EnqueuedTime.UtcDateTime),
            ["ExpiresAtUtc"] = Typed.Json(message.ExpiresAt.UtcDateTime),
            ["ApplicationProperties"] = Typed.Json(message.ApplicationProperties),
            ["UserProperties"] = Typed.Json(message.ApplicationProperties), // the name of earlier versions
        };
    }
}
