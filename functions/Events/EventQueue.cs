using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;

namespace Sdxl.Functions.Events;

/// <summary>Queue events: tells the world what happened, and reminds of what is overdue.</summary>
public sealed class EventQueue(PredictionProgress predictions, IOptions<SdxlOptions> options)
{
    [Function("Events")]
    public async Task Run(
        [ServiceBusTrigger(Queues.Events, Connection = SdxlFunctions.ServiceBusConnection)] string body, CancellationToken cancel)
    {
        if (SdxlJson.Deserialize<EventMessage>(body) is PredictionDue due)
            await predictions.EndOverdueAsync(due.Job, options.Value.MaxPredictionHours, cancel);
    }
}
