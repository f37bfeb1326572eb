using System.Collections.Concurrent;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Sdxl.EndToEnd.Tests.Telemetry;

/// <summary>One span as a collector gets it.</summary>
internal sealed record CollectedSpan(
    string Service, string Name, string TraceId, string SpanId, string ParentId, IReadOnlyDictionary<string, string> Attributes);

/// <summary>A collector for OTLP over HTTP with protobuf bodies, as small as it gets: keeps spans, names of measurements, and log lines.
/// Fields: opentelemetry-proto 1.x.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _server;

    private OtlpCollector(WebApplication server) => _server = server;

    public ConcurrentQueue<CollectedSpan> Spans { get; } = [];

    public ConcurrentDictionary<string, bool> Measurements { get; } = [];

    /// <summary>(trace id, text).</summary>
    public ConcurrentQueue<(string TraceId, string Text)> Logs { get; } = [];

    public string Address => _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public static async Task<OtlpCollector> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        var collector = new OtlpCollector(builder.Build());
        collector._server.Run(collector.TakeAsync);
        await collector._server.StartAsync();
        return collector;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        await _server.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await using (var content = context.Request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body)
            await content.CopyToAsync(body);
        switch (context.Request.Path.Value)
        {
            case "/v1/traces":
                TakeSpans(body.ToArray());
                break;
            case "/v1/metrics":
                foreach (var name in ProtoField.Find(body.ToArray(), 1, 2, 2, 1)) // resource_metrics, scope_metrics, metrics, name
                    Measurements[name.Text] = true;
                break;
            case "/v1/logs":
                foreach (var line in ProtoField.Find(body.ToArray(), 1, 2, 2)) // resource_logs, scope_logs, log_records
                    Logs.Enqueue((Of(line.Bytes, 9)?.Hex ?? "",
                        ProtoField.Find(line.Bytes, 5, 1).FirstOrDefault().Bytes is { } text ? System.Text.Encoding.UTF8.GetString(text)
                        : ""));
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private void TakeSpans(byte[] body)
    {
        foreach (var resource in ProtoField.Find(body, 1)) // resource_spans
        {
            var service = Attributes(ProtoField.Find(resource.Bytes, 1, 1)).GetValueOrDefault("service.name", "");
            foreach (var span in ProtoField.Find(resource.Bytes, 2, 2)) // scope_spans, spans
                Spans.Enqueue(new CollectedSpan(
                    service, Of(span.Bytes, 5)!.Value.Text, Of(span.Bytes, 1)!.Value.Hex, Of(span.Bytes, 2)!.Value.Hex,
                        Of(span.Bytes, 4)?.Hex ?? "", Attributes(ProtoField.Find(span.Bytes, 9))));
        }
    }

    /// <summary>Those whose value is text.</summary>
    private static Dictionary<string, string> Attributes(IEnumerable<ProtoField> pairs) =>
        pairs.Select(pair => (Key: Of(pair.Bytes, 1)!.Value.Text, Value: ProtoField.Find(pair.Bytes, 2, 1).ToList()))
            .Where(pair => pair.Value.Count > 0)
            .ToDictionary(pair => pair.Key, pair => pair.Value[0].Text);

    private static ProtoField? Of(byte[] message, int number) => ProtoField.Read(message).Where(field => field.Number == number)
        .Cast<ProtoField?>().FirstOrDefault();
}
