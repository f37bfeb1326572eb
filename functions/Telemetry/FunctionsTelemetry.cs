using System.Diagnostics.Metrics;
using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Sdxl.Core.Jobs;
using Sdxl.Core.Telemetry;

namespace Sdxl.Functions.Telemetry;

/// <summary>Sends spans, measurements and logs to a collector (OTLP) or to Application Insights, or to both, where the environment names
/// them; else nothing is set up.</summary>
internal static class FunctionsTelemetry
{
    private const string Service = "sdxl-functions";
    private const string DurableClient = "Microsoft.DurableTask"; // "create_orchestration:…", from which the orchestration's spans hang

    private static readonly Counter<long> s_ended =
        SdxlTelemetry.Meter.CreateCounter<long>("sdxl.trainings.ended", "{training}", "Trainings that have ended, by how.");

    private static readonly Histogram<double> s_silence = SdxlTelemetry.Meter.CreateHistogram<double>(
        "sdxl.training.silence",
        "s",
        "Since a training's worker, or its dispatch, was last heard of."
    );

    /// <summary>Seen at each look after a training that has not ended: long only where no worker has it.</summary>
    public static void Silence(TimeSpan silence) => s_silence.Record(silence.TotalSeconds);

    public static void TrainingEnded(JobStatus status) =>
        s_ended.Add(1, new KeyValuePair<string, object?>("status", status.ToString().ToLowerInvariant()));

    public static IServiceCollection AddFunctionsTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var (otlp, insights) = (configuration[SdxlTelemetry.OtlpEndpoint], configuration[SdxlTelemetry.ApplicationInsights]);
        if (string.IsNullOrEmpty(otlp) && string.IsNullOrEmpty(insights))
            return services;
        // Tells the Functions host (host.json: telemetryMode) that this process exports its own logs, so that none comes twice.
        services.Configure<WorkerOptions>(worker => worker.Capabilities["WorkerOpenTelemetryEnabled"] = bool.TrueString);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(Service))
            .WithTracing(traces => traces.AddSource(SdxlTelemetry.Name, DurableClient))
            .WithMetrics(metrics => metrics.AddMeter(SdxlTelemetry.Name))
            .WithLogging(_ => { }, logs => logs.IncludeScopes = true);
        if (!string.IsNullOrEmpty(otlp))
            telemetry.UseOtlpExporter();
        if (!string.IsNullOrEmpty(insights))
        {
            services.AddOptions<AzureMonitorExporterOptions>()
                .Configure<TokenCredential>((options, credential) =>
                    (options.ConnectionString, options.Credential) = (insights, credential));
            telemetry.WithTracing(traces => traces.AddAzureMonitorTraceExporter())
                .WithMetrics(metrics => metrics.AddAzureMonitorMetricExporter())
                .WithLogging(logs => logs.AddAzureMonitorLogExporter());
        }
        return services;
    }
}
