using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;

namespace Sdxl.Functions.Events;

/// <summary>Queue events: tells the world what happened, and reminds of what is overdue.</summary>
public sealed class EventQueue(EventDelivery delivery, PredictionProgress predictions, IOptions<SdxlOptions> options)
{
    [Function("Events")]
    public Task Run(
        [ServiceBusTrigger(Queues.Events, Connection = SdxlFunctions.ServiceBusConnection)] string body, CancellationToken cancel) =>
        SdxlJson.Deserialize<EventMessage>(body) switch
        {
            EventsHappened happened => delivery.DeliverAsync(happened, cancel),
            LogsGrew grew => delivery.TellLogsAsync(grew, cancel),
            PredictionDue due => predictions.EndOverdueAsync(due.Job, options.Value.MaxPredictionHours, cancel),
            var other => throw new InvalidOperationException($"Queue {Queues.Events} has a message of type {other.GetType().Name}."),
        };
}
