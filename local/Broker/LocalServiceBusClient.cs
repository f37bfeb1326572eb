using Azure.Messaging.ServiceBus;

namespace Sdxl.Local.Broker;

/// <summary>The Service Bus client over the local broker. It does not own the file.</summary>
public sealed class LocalServiceBusClient(BrokerFile broker) : ServiceBusClient
{
    private bool closed;

    public override string FullyQualifiedNamespace => "local";

    public override string Identifier => "local";

    public override bool IsClosed => closed;

    public override ServiceBusSender CreateSender(string queueOrTopicName) => new LocalServiceBusSender(broker, QueueAddress.Parse(queueOrTopicName).Queue);

    public override ServiceBusSender CreateSender(string queueOrTopicName, ServiceBusSenderOptions options) => CreateSender(queueOrTopicName);

    public override ServiceBusReceiver CreateReceiver(string queueName) => CreateReceiver(queueName, new ServiceBusReceiverOptions());

    public override ServiceBusReceiver CreateReceiver(string queueName, ServiceBusReceiverOptions options) =>
        new LocalServiceBusReceiver(broker, QueueAddress.Parse(queueName, options?.SubQueue ?? SubQueue.None), options?.ReceiveMode ?? default);

    public override ValueTask DisposeAsync()
    {
        closed = true;
        return default;
    }
}
