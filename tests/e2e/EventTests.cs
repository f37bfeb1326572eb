using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Sdxl.EndToEnd.Tests;

/// <summary>Events of a real prediction while the app that tells them is killed, each time before it hears that one was taken.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class EventTests(SharedHost shared)
{
    private readonly LocalHostProcess _host = shared.Host;

    [Fact]
    public async Task Each_event_comes_in_order_and_once_by_its_id_though_the_app_is_killed_while_it_tells()
    {
        using var hooks = new Hooks(() =>
        {
            foreach (var app in _host.Children("Sdxl.Functions.dll"))
                Process.GetProcessById(app).Kill();
        });
        using var subscribed = await PostAsync(
            "v1/subscriptions",
            new JsonObject { ["url"] = hooks.Url, ["types"] = new JsonArray("prediction.*") }
        );
        var subscription = JsonNode.Parse(await subscribed.Content.ReadAsStringAsync())!["id"]!.ToString();
        var input = new JsonObject
        {
            ["prompt"] = "a photo of TOK",
            ["num_outputs"] = 2,
            ["seed"] = 7,
            ["width"] = 64,
            ["height"] = 64,
            ["num_inference_steps"] = 10,
        };
        // May die of the first kill itself
        using var answer = await PostAsync("v1/predictions", new JsonObject { ["base"] = "toy", ["input"] = input });

        var last = await hooks.LastAsync.WaitAsync(TimeSpan.FromMinutes(3));
        var id = last["data"]!["id"]!.ToString();
        Assert.Equal("prediction.completed", last["type"]!.ToString());
        var mine = hooks.Taken.Where(told => told["data"]!["id"]!.ToString() == id).ToList();
        var distinct = mine.DistinctBy(told => told["id"]!.ToString()).ToList();
        // Whether the second picture has an event of its own depends on when the app was back.
        Assert.Equal(
            ["prediction.starting", "prediction.processing", "prediction.output", "prediction.completed"],
            distinct.Select(told => told["type"]!.ToString()).Distinct()
        );
        Assert.Equal(
            Enumerable.Range(1, distinct.Count).Select(number => $"{id}-{number:D4}"),
            distinct.Select(told => told["id"]!.ToString())
        );
        Assert.True(mine.Count > distinct.Count, "no event came twice: the kills proved nothing");
        using var removed = await _host.Http.DeleteAsync($"v1/subscriptions/{subscription}");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
    }

    private Task<HttpResponseMessage> PostAsync(string path, JsonObject body) =>
        _host.Http.PostAsync(path, new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));

    /// <summary>A receiver that has its sender killed at the first try of every other event, before it answers.</summary>
    private sealed class Hooks : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly TaskCompletionSource<JsonNode> _last = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Action _kill;

        public Hooks(Action kill)
        {
            _kill = kill;
            using var probe = new TcpListener(IPAddress.Parse(LocalHostProcess.TrustedAddress), 0);
            probe.Start();
            Url = $"http://{probe.LocalEndpoint}/hook/";
            probe.Stop();
            _listener.Prefixes.Add(Url);
            _listener.Start();
            _ = Task.Run(ServeAsync);
        }

        public string Url { get; }

        public ConcurrentQueue<JsonNode> Taken { get; } = [];

        /// <summary>The event that ends the job, once it is taken.</summary>
        public Task<JsonNode> LastAsync => _last.Task;

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return; // closed
                }
                using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                var told = JsonNode.Parse(await reader.ReadToEndAsync())!;
                var isNew = Taken.All(before => before["id"]!.ToString() != told["id"]!.ToString());
                Taken.Enqueue(told);
                if (isNew && int.Parse(told["sequence"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture) % 2 == 1)
                {
                    _kill();
                    context.Response.Abort();
                    continue;
                }
                context.Response.StatusCode = 204;
                context.Response.Close();
                if (told["type"]!.ToString() is "prediction.completed" or "prediction.failed" or "prediction.canceled")
                    _last.TrySetResult(told);
            }
        }
    }
}
