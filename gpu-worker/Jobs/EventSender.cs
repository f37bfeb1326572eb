using System.Globalization;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Telemetry;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>Tells the orchestration what happens, over the queue worker-events.</summary>
public sealed class EventSender(ServiceBusClient client) : IAsyncDisposable
{
    private readonly ServiceBusSender _sender = client.CreateSender(Queues.WorkerEvents);

    public Task SendAsync(WorkerEvent happened, CancellationToken cancel)
    {
        // The event that ends a job has one id: a queue with duplicate detection drops a repetition, else the orchestration, which waits
        // for one only, ignores it.
        var id = happened.IsTerminal
            ? string.Create(CultureInfo.InvariantCulture, $"{happened.Job}-{happened.Attempt}-{happened.GetType().Name}")
            : Guid.NewGuid().ToString("N");
        var message = new ServiceBusMessage(BinaryData.FromString(SdxlJson.Serialize(happened)))
        {
            MessageId = id,
            ContentType = "application/json",
        };
        if (happened.IsTerminal) // the thousands that tell of progress would bury the trace
            MessageTrace.Inject(message.ApplicationProperties);
        return _sender.SendMessageAsync(message, cancel);
    }

    public ValueTask DisposeAsync() => _sender.DisposeAsync();
}
