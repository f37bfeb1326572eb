using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Telemetry;
using Sdxl.Functions.Workers;

namespace Sdxl.Functions.Telemetry;

/// <summary>
/// A span around each function, by the function's name: under the caller's for HTTP, under the sender's for a message, under the
/// orchestration's for an activity. Not around what
/// comes by the clock (reads, progress, timers) nor around an orchestrator's turns, of which the host makes one span.
/// </summary>
public sealed class TracingMiddleware(ILogger<TracingMiddleware> log) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var trigger = context.FunctionDefinition.InputBindings.Values.FirstOrDefault(
            binding => binding.Type.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase))?.Type ?? "";
        var http = context.GetHttpContext();
        var (kind, parent) = trigger switch
        {
            "httpTrigger" => (ActivityKind.Server, Parse(http?.Request.Headers.TraceParent, http?.Request.Headers.TraceState)),
            "serviceBusTrigger" => (ActivityKind.Consumer, OfMessage(context)),
            _ => (ActivityKind.Internal, Parse(context.TraceContext.TraceParent, context.TraceContext.TraceState)),
        };
        var isRoutine = trigger is "orchestrationTrigger" or "timerTrigger"
            || http is not null && (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method))
            || context.FunctionDefinition.Name == nameof(WorkerEvents) && parent == default;
        // The web server's own span, which nobody exports, is not to be the parent.
        Activity.Current = null;
        using var span = isRoutine ? null : SdxlTelemetry.Source.StartActivity(context.FunctionDefinition.Name, kind, parent);
        // An activity's orchestration has the training's or the prediction's id.
        using var scope = context.BindingContext.BindingData.GetValueOrDefault("instanceId") is string { Length: > 0 } id ? Of(span, id)
            : null;
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private IDisposable? Of(Activity? span, string jobId)
    {
        span?.SetTag(SdxlTelemetry.JobId, jobId);
        return log.BeginScope(new Dictionary<string, object> { [SdxlTelemetry.JobId] = jobId });
    }

    /// <summary>The trigger passes a message's properties on as JSON.</summary>
    private static ActivityContext OfMessage(FunctionContext context)
    {
        if (context.BindingContext.BindingData.GetValueOrDefault("ApplicationProperties") is not string { Length: > 0 } json)
            return default;
        using var properties = JsonDocument.Parse(json);
        return Parse(Text(MessageTrace.Parent), Text(MessageTrace.State));

        string? Text(string name) =>
            properties.RootElement.ValueKind == JsonValueKind.Object && properties.RootElement.TryGetProperty(name, out var value)
                && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static ActivityContext Parse(string? parent, string? state) =>
        ActivityContext.TryParse(parent, state, isRemote: true, out var context) ? context : default;
}
