using Azure.Core;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Sdxl.Core.Telemetry;

namespace Sdxl.GpuWorker.Telemetry;

/// <summary>Sends spans, measurements and logs to a collector (OTLP) or to Application Insights, or to both, where the environment names
/// them; else nothing is set up.</summary>
internal static class WorkerTelemetry
{
    private const string Service = "sdxl-gpu-worker";

    public static IServiceCollection AddWorkerTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var (otlp, insights) = (configuration[SdxlTelemetry.OtlpEndpoint], configuration[SdxlTelemetry.ApplicationInsights]);
        if (string.IsNullOrEmpty(otlp) && string.IsNullOrEmpty(insights))
            return services;
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(Service))
            .WithTracing(traces => traces.AddSource(SdxlTelemetry.Name))
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
