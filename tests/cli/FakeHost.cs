using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Sdxl.Core.Hosting;

namespace Sdxl.Tests.Cli;

/// <summary>A host that answers with prepared JSON, in a state folder of its own whose host.json leads the command line to it.</summary>
internal sealed class FakeHost : IDisposable
{
    private readonly HttpListener listener = new();
    private readonly ConcurrentDictionary<string, Func<HttpListenerRequest, (int Status, string Type, byte[] Body)>> routes = new();

    public FakeHost()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}");
        listener.Prefixes.Add(Url + "/");
        listener.Start();
        Home = Directory.CreateTempSubdirectory("sdxl-cli-").FullName;
        new HostFile(new Uri(Url + "/"), "UseDevelopmentStorage=true", Environment.ProcessId, Token: Token).Write(Home);
        Answer("GET /v1/trainings", new JsonObject { ["results"] = new JsonArray() });
        Answer("GET /v1/account", new JsonObject { ["username"] = "me" });
        Answer("GET /v1/workers", new JsonObject { ["results"] = new JsonArray() });
        _ = Task.Run(ServeAsync);
    }

    /// <summary>Requests without it are refused.</summary>
    public const string Token = "sdxl_fake";

    public int Port { get; }

    public string Url { get; }

    public string Home { get; }

    /// <summary>"POST /v1/trainings" and the like, in the order they came.</summary>
    public ConcurrentQueue<(string Line, string Body)> Requests { get; } = new();

    /// <summary>Answers one after another; the last one stays.</summary>
    public void Answer(string line, params JsonObject[] answers)
    {
        var next = 0;
        routes[line] = _ => (200, "application/json", Encoding.UTF8.GetBytes(answers[Math.Min(next++, answers.Length - 1)].ToJsonString()));
    }

    public void Problem(string line, int status, string detail) =>
        routes[line] = _ =>
            (
                status,
                "application/problem+json",
                Encoding.UTF8.GetBytes(new JsonObject { ["title"] = "no", ["detail"] = detail }.ToJsonString())
            );

    public void Serve(string line, byte[] bytes) => routes[line] = _ => (200, "application/octet-stream", bytes);

    public void On(string line, Action happened, JsonObject answer) => routes[line] = _ =>
    {
        happened();
        return (200, "application/json", Encoding.UTF8.GetBytes(answer.ToJsonString()));
    };

    public void Dispose()
    {
        listener.Close();
        Directory.Delete(Home, recursive: true);
    }

    private async Task ServeAsync()
    {
        await foreach (var context in listener.RequestsAsync())
        {
            using var reader = new StreamReader(context.Request.InputStream, Encoding.Latin1);
            var line = $"{context.Request.HttpMethod} {context.Request.Url!.AbsolutePath}";
            Requests.Enqueue((line, await reader.ReadToEndAsync()));
            var (status, type, body) =
                context.Request.Headers["Authorization"] != $"Bearer {Token}"
                    ? (401, "application/json", "{\"detail\":\"no token\"}"u8.ToArray())
                : routes.TryGetValue(line, out var answer) ? answer(context.Request)
                : (404, "application/json", "{\"detail\":\"nothing here\"}"u8.ToArray());
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            await context.Response.OutputStream.WriteAsync(body);
            context.Response.Close();
        }
    }
}
