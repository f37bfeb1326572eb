using System.Diagnostics;
using System.Diagnostics.Metrics;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Telemetry;
using Sdxl.GpuWorker.Hosting;

namespace Sdxl.GpuWorker.Telemetry;

/// <summary>What is measured of jobs: how long they waited, how fast they went, what memory and money they took.</summary>
public sealed class JobTelemetry(IOptions<WorkerOptions> options, TimeProvider time, ILogger<JobTelemetry> log)
{
    private const double SecondsAnHour = 3600;

    private static readonly Histogram<double> s_wait = Of("sdxl.queue.wait", "s", "From dispatch to a worker taking the job.");
    private static readonly Histogram<double> s_stepRate = Of("sdxl.training.step_rate", "{step}/s", "Steps a second over the last ten.");
    private static readonly Histogram<double> s_memory = Of("sdxl.training.memory", "MiBy", "Peak so far: the card's, else the program's.");
    private static readonly Histogram<double> s_run = Of("sdxl.run.duration", "s", "One delivery's work, whichever way it ended.");
    private static readonly Histogram<double> s_cost = Of("sdxl.run.cost", "{currency}", "That time at Sdxl__PricePerHour, if set.");

    /// <summary>A job is taken: a span under the one that sent its message, the job's id on every log line, and at its end time and
    /// cost.</summary>
    /// <param name="queue">Name of the queue.</param>
    public IDisposable Begin(string queue, ServiceBusReceivedMessage message, string jobId)
    {
        var span = SdxlTelemetry.Source.StartActivity(
            ActivityKind.Consumer, MessageTrace.Extract(message.ApplicationProperties), name: $"process {queue}");
        span?.SetTag(SdxlTelemetry.JobId, jobId).SetTag("messaging.system", "servicebus").SetTag("messaging.destination.name", queue)
            .SetTag("messaging.message.id", message.MessageId).SetTag("messaging.servicebus.message.delivery_count", message.DeliveryCount);
        if (message.DeliveryCount <= 1) // later ones have been worked on meanwhile
            s_wait.Record(Math.Max(0, (time.GetUtcNow() - message.EnqueuedTime).TotalSeconds), Of("queue", queue));
        return new Run(this, span, log.BeginScope(new Dictionary<string, object> { [SdxlTelemetry.JobId] = jobId }), queue.TrimEnd('s'),
            time.GetTimestamp());
    }

    /// <param name="device">What it computes on.</param>
    /// <param name="stepsPerSecond">null: not known yet.</param>
    /// <param name="mebibytes">Peak of the card, or of the program.</param>
    public static void Progress(string device, double? stepsPerSecond, double mebibytes)
    {
        if (stepsPerSecond is { } rate)
            s_stepRate.Record(rate, Of("device", device));
        s_memory.Record(mebibytes, Of("device", device));
    }

    private void End(string kind, long began)
    {
        var seconds = time.GetElapsedTime(began).TotalSeconds;
        s_run.Record(seconds, Of("kind", kind));
        if (options.Value.PricePerHour is { } price)
            s_cost.Record(seconds / SecondsAnHour * price, Of("kind", kind));
    }

    private static Histogram<double> Of(string name, string unit, string description) =>
        SdxlTelemetry.Meter.CreateHistogram<double>(name, unit, description);

    private static KeyValuePair<string, object?> Of(string name, string value) => new(name, value);

    private sealed class Run(JobTelemetry telemetry, Activity? span, IDisposable? scope, string kind, long began) : IDisposable
    {
        public void Dispose()
        {
            telemetry.End(kind, began);
            scope?.Dispose();
            span?.Dispose();
        }
    }
}
