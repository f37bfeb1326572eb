using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sdxl.Tests.Functions.Events;

/// <summary>What a receiver was sent.</summary>
public sealed record Hook(string Id, string ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Bytes)
{
    public JsonNode Json => JsonNode.Parse(Bytes)!;

    /// <summary>As Replicate's JavaScript and Go clients check it.</summary>
    public bool IsSignedBy(string secret)
    {
        var key = Convert.FromBase64String(secret.Split('_')[^1]);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{Headers["webhook-id"]}.{Headers["webhook-timestamp"]}."), .. Bytes];
        var expected = Convert.ToBase64String(HMACSHA256.HashData(key, signed));
        return long.TryParse(Headers["webhook-timestamp"], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && Headers["webhook-signature"].Split(' ').Any(one => one.Split(',')[1] == expected);
    }
}

/// <summary>One who is posted to.</summary>
public sealed class HookServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HookServer(WebApplication app) => _app = app;

    public string Url =>
        $"{_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}/hook?token=secret";

    /// <summary>host:port, as TrustedHosts names it.</summary>
    public string Host => new Uri(Url).Authority;

    /// <summary>In the order in which they came.</summary>
    public ConcurrentQueue<Hook> Taken { get; } = [];

    /// <summary>The status of the next answers.</summary>
    public int Status { get; set; } = 204;

    public static async Task<HookServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new HookServer(app);
        app.MapPost("/hook", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            if (server.Status < 300)
            {
                var headers = http.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString());
                server.Taken.Enqueue(new Hook(headers["webhook-id"], http.Request.ContentType!, headers, body.ToArray()));
            }
            http.Response.StatusCode = server.Status;
        });
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
