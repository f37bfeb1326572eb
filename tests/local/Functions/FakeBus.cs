using System.Collections.Concurrent;
using System.Threading.Channels;
using Azure.Messaging.ServiceBus;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

/// <summary>
/// A Service Bus in memory behind the client's own classes, as far as a processor needs it: deliveries, abandoning, dead-lettering.
/// </summary>
internal sealed class FakeBus
{
    private readonly ConcurrentDictionary<string, Channel<ServiceBusReceivedMessage>> queues = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> completed = new();

    /// <summary>What the host passed as the connection.</summary>
    public string? Connection { get; private set; }

    public ServiceBusClient Connect(string connection)
    {
        Connection = connection;
        return new Client(this);
    }

    public void Send(string queue, string messageId, string body, int deliveryCount = 1, IDictionary<string, object>? properties = null) =>
        Of(queue)
            .Writer.TryWrite(
                ServiceBusModelFactory.ServiceBusReceivedMessage(
                    new BinaryData(body),
                    messageId: messageId,
                    deliveryCount: deliveryCount,
                    properties: properties,
                    lockTokenGuid: Guid.NewGuid()
                )
            );

    public Task Completed(string messageId) => Done(messageId).Task.WaitAsync(TestHost.Patience);

    private TaskCompletionSource Done(string messageId) =>
        completed.GetOrAdd(messageId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private Channel<ServiceBusReceivedMessage> Of(string queue) =>
        queues.GetOrAdd(queue, _ => Channel.CreateUnbounded<ServiceBusReceivedMessage>());

    private sealed class Client(FakeBus bus) : ServiceBusClient
    {
        public override ServiceBusProcessor CreateProcessor(string queueName, ServiceBusProcessorOptions options) =>
            new Processor(bus, queueName, options);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Receiver(FakeBus bus, string queue) : ServiceBusReceiver
    {
        public override string EntityPath => queue;

        public bool IsAbandoned { get; private set; }

        public override Task AbandonMessageAsync(
            ServiceBusReceivedMessage message, IDictionary<string, object>? propertiesToModify = null,
            CancellationToken cancellationToken = default)
        {
            IsAbandoned = true;
            bus.Send(queue, message.MessageId, message.Body.ToString(), message.DeliveryCount + 1);
            return Task.CompletedTask;
        }
    }

    private sealed class Processor(FakeBus bus, string queue, ServiceBusProcessorOptions options) : ServiceBusProcessor
    {
        private readonly CancellationTokenSource stop = new();
        private Task running = Task.CompletedTask;

        public override Task StartProcessingAsync(CancellationToken cancellationToken = default)
        {
            running = Task.WhenAll(Enumerable.Range(0, options.MaxConcurrentCalls).Select(_ => Task.Run(RunAsync, CancellationToken.None)));
            return Task.CompletedTask;
        }

        public override async Task StopProcessingAsync(CancellationToken cancellationToken = default)
        {
            await stop.CancelAsync();
            await running;
        }

        public override Task CloseAsync(CancellationToken cancellationToken = default) => StopProcessingAsync(cancellationToken);

        private async Task RunAsync()
        {
            try
            {
                await foreach (var message in bus.Of(queue).Reader.ReadAllAsync(stop.Token))
                {
                    var receiver = new Receiver(bus, queue);
                    await OnProcessMessageAsync(new ProcessMessageEventArgs(message, receiver, stop.Token));
                    if (!receiver.IsAbandoned && options.AutoCompleteMessages)
                        bus.Done(message.MessageId).TrySetResult();
                }
            }
            catch (OperationCanceledException)
            {
                // Stopped.
            }
        }
    }
}
