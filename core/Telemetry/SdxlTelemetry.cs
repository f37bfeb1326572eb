using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Sdxl.Core.Telemetry;

/// <summary>
/// Names under which functions and worker tell what they do. Without a listener nothing is made and nothing costs; where they are sent is
/// the
/// programs' own matter (OpenTelemetry's standard variables, or Application Insights).
/// </summary>
public static class SdxlTelemetry
{
    /// <summary>Name of the spans' source and of the meter.</summary>
    public const string Name = "Sdxl";

    /// <summary>Attribute of spans and logs: training or prediction id.</summary>
    public const string JobId = "sdxl.job.id";

    /// <summary>Where OpenTelemetry's collector listens; standard name. Nothing is exported to a collector without it.</summary>
    public const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Application Insights; the platform's name. Nothing is exported there without it.</summary>
    public const string ApplicationInsights = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);

    /// <summary>A span inside the one that is open, if any; null where nobody listens.</summary>
    public static Activity? Span(string name) => Source.StartActivity(name);
}
