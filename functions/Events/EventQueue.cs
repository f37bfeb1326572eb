using Azure;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;

namespace Sdxl.Functions.Events;

/// <summary>Queue events: tells the world what happened, and reminds of what is overdue.</summary>
public sealed class EventQueue(EventDelivery delivery, PredictionProgress predictions, TrainingStarter trainings, IMessageQueues queues,
    IOptions<SdxlOptions> options, TimeProvider time, ILogger<EventQueue> log)
{
    private const int PauseSeconds = 30;

    [Function("Events")]
    public async Task Run(
        [ServiceBusTrigger(Queues.Events, Connection = SdxlFunctions.ServiceBusConnection)] string body,
        [DurableClient] DurableTaskClient client, CancellationToken cancel)
    {
        var message = SdxlJson.Deserialize<EventMessage>(body);
        try
        {
            await HandleAsync(message, client, cancel);
        }
        // Storage is away. The queue would give the message ten tries within seconds; so it comes again later, as often as it takes.
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            log.Later(e, message.GetType().Name, PauseSeconds);
            await queues.SendAsync(Queues.Events, $"{Guid.NewGuid():N}", message, time.GetUtcNow().AddSeconds(PauseSeconds), cancel);
        }
    }

    private Task HandleAsync(EventMessage message, DurableTaskClient client, CancellationToken cancel) => message switch
    {
        EventsHappened happened => delivery.DeliverAsync(happened, cancel),
        LogsGrew grew => delivery.TellLogsAsync(grew, cancel),
        PredictionDue due => predictions.EndOverdueAsync(due.Job, options.Value.MaxPredictionHours, cancel),
        TrainingDue due => trainings.StartLostAsync(client, due.Job, cancel),
        _ => throw new InvalidOperationException($"Queue {Queues.Events} has a message of type {message.GetType().Name}."),
    };
}
