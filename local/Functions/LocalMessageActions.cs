using Azure.Messaging.ServiceBus;
using Microsoft.Azure.Functions.Worker;

namespace Sdxl.Local.Functions;

/// <summary>Settles the message that started a function, and remembers that it did.</summary>
internal sealed class LocalMessageActions(ServiceBusReceiver receiver) : ServiceBusMessageActions
{
    public bool HasSettled { get; private set; }

    public override async Task CompleteMessageAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default)
    {
        await receiver.CompleteMessageAsync(message, cancellationToken);
        HasSettled = true;
    }

    public override async Task AbandonMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default, CancellationToken cancellationToken = default)
    {
        await receiver.AbandonMessageAsync(message, propertiesToModify, cancellationToken);
        HasSettled = true;
    }

    public override async Task DeadLetterMessageAsync(
        ServiceBusReceivedMessage message,
        Dictionary<string, object>? propertiesToModify = default,
        string? deadLetterReason = default,
        string? deadLetterErrorDescription = default,
        CancellationToken cancellationToken = default)
    {
        await receiver.DeadLetterMessageAsync(message, propertiesToModify ?? [], deadLetterReason!, deadLetterErrorDescription, cancellationToken);
        HasSettled = true;
    }

    public override async Task DeferMessageAsync(
        ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = default, CancellationToken cancellationToken = default)
    {
        await receiver.DeferMessageAsync(message, propertiesToModify, cancellationToken);
        HasSettled = true;
    }

    public override Task RenewMessageLockAsync(ServiceBusReceivedMessage message, CancellationToken cancellationToken = default) =>
        receiver.RenewMessageLockAsync(message, cancellationToken);
}
