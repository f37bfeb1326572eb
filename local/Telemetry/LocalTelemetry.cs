using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Sdxl.Core.Telemetry;

namespace Sdxl.Local.Telemetry;

/// <summary>The spans of orchestrations and activities, sent where the environment says. Functions and worker send their own.</summary>
internal static class LocalTelemetry
{
    /// <returns>Sends what is left when it is disposed of; null where no collector is named.</returns>
    public static IDisposable? Start() => Environment.GetEnvironmentVariable(SdxlTelemetry.OtlpEndpoint) is not { Length: > 0 } ? null
        : Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => resource.AddService("sdxl-host"))
            .AddSource("DurableTask.Core").AddOtlpExporter().Build();
}
