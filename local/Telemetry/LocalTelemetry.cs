using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Sdxl.Core.Telemetry;

namespace Sdxl.Local.Telemetry;

/// <summary>The spans that a Functions host makes of orchestrations and activities, sent to the collector that the environment names.
/// Functions and worker send their own.</summary>
internal static class LocalTelemetry
{
    private const string Service = "sdxl-host";
    private const string Orchestrations = "DurableTask.Core"; // the framework's source

    /// <returns>Sends what is left when it is disposed of; null where no collector is named.</returns>
    public static IDisposable? Start() => Environment.GetEnvironmentVariable(SdxlTelemetry.OtlpEndpoint) is not { Length: > 0 } ? null
        : Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => resource.AddService(Service)).AddSource(Orchestrations)
            .AddOtlpExporter().Build();
}
