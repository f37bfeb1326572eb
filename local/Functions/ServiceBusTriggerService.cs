using System.Text.Json;
using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Sdxl.Local.Functions;

/// <summary>
/// Starts Service Bus functions: peek-lock with renewal while the function runs; completed when it returns, abandoned when it throws.
/// </summary>
internal sealed class ServiceBusTriggerService(
    IEnumerable<FunctionMethod> functions, ServiceBusClient client, HostJson hostJson, FunctionInvoker invoker, ILogger<ServiceBusTriggerService> logger)
    : BackgroundService
{
    private static readonly TimeSpan ReceiveWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FailureDelay = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(functions
        .Where(function => function.Trigger is ServiceBusTriggerAttribute)
        .Select(function => Task.Run(() => Listen(function, stoppingToken), CancellationToken.None)));

    private async Task Listen(FunctionMethod function, CancellationToken stopping)
    {
        var queue = ((ServiceBusTriggerAttribute)function.Trigger).QueueName!;
        await using var receiver = client.CreateReceiver(queue);
        using var slots = new SemaphoreSlim(hostJson.MaxConcurrentCalls);
        while (!stopping.IsCancellationRequested)
        {
            await slots.WaitAsync(CancellationToken.None); // every message handler gives its slot back
            if (await Next(queue, receiver, stopping) is { } message)
                _ = Handle(function, receiver, message, stopping).ContinueWith(_ => slots.Release(), TaskScheduler.Default);
            else
                slots.Release();
        }
        for (var slot = 0; slot < hostJson.MaxConcurrentCalls; slot++)
            await slots.WaitAsync(CancellationToken.None); // until the last message is settled
    }

    /// <returns>null where none came, the queue could not be read or the host stops.</returns>
    private async Task<ServiceBusReceivedMessage?> Next(string queue, ServiceBusReceiver receiver, CancellationToken stopping)
    {
        try
        {
            return await receiver.ReceiveMessageAsync(ReceiveWait, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception)
        {
            // Also what a Service Bus client does not throw: a listener that ended here would look alive and take nothing.
            logger.QueueNotRead(queue, exception.Message);
            await Task.Delay(FailureDelay, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }
    }

    private async Task Handle(FunctionMethod function, ServiceBusReceiver receiver, ServiceBusReceivedMessage message, CancellationToken stopping)
    {
        using var finished = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var renewal = KeepLocked(receiver, message, finished.Token);
        try
        {
            await invoker.Invoke(
                function,
                new Invocation
                {
                    TriggerValue = type => Payload.Convert(message.Body, type),
                    BindingData = new Dictionary<string, object?>
                    {
                        ["MessageId"] = message.MessageId,
                        ["DeliveryCount"] = message.DeliveryCount,
                        ["SequenceNumber"] = message.SequenceNumber,
                        ["EnqueuedTimeUtc"] = message.EnqueuedTime.UtcDateTime,
                        ["CorrelationId"] = message.CorrelationId,
                        ["Subject"] = message.Subject,
                        ["ApplicationProperties"] = JsonSerializer.Serialize(message.ApplicationProperties),
                    },
                },
                stopping);
            await receiver.CompleteMessageAsync(message, CancellationToken.None);
        }
        catch (Exception exception)
        {
            if (!stopping.IsCancellationRequested)
                logger.FunctionFailed(exception, function.Name, $"message '{message.MessageId}' of '{receiver.EntityPath}', delivery {message.DeliveryCount}");
            await GiveBack(receiver, message);
        }
        finally
        {
            await finished.CancelAsync();
            await renewal;
        }
    }

    private async Task GiveBack(ServiceBusReceiver receiver, ServiceBusReceivedMessage message)
    {
        try
        {
            await receiver.AbandonMessageAsync(message, cancellationToken: CancellationToken.None);
        }
        catch (Exception exception)
        {
            // It comes back when its lock runs out.
            logger.QueueNotRead(receiver.EntityPath, exception.Message);
        }
    }

    private async Task KeepLocked(ServiceBusReceiver receiver, ServiceBusReceivedMessage message, CancellationToken finished)
    {
        try
        {
            while (true)
            {
                var left = message.LockedUntil - DateTimeOffset.UtcNow;
                await Task.Delay(left > TimeSpan.FromSeconds(1) ? left / 2 : TimeSpan.FromSeconds(0.5), finished);
                await Renew(receiver, message, finished);
            }
        }
        catch (OperationCanceledException)
        {
            // The function has returned.
        }
        catch (ServiceBusException exception) when (exception.Reason == ServiceBusFailureReason.MessageLockLost)
        {
            // Settled by the function, or taken away: completing it says so.
        }
    }

    /// <summary>A renewal that fails for any reason but a lost lock is tried again, for the function runs on.</summary>
    private async Task Renew(ServiceBusReceiver receiver, ServiceBusReceivedMessage message, CancellationToken finished)
    {
        try
        {
            await receiver.RenewMessageLockAsync(message, finished);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or ServiceBusException { Reason: ServiceBusFailureReason.MessageLockLost }))
        {
            logger.QueueNotRead(receiver.EntityPath, exception.Message);
        }
    }
}
