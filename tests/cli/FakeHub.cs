using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Sdxl.Tests.Cli;

/// <summary>
/// Answers as Hugging Face does: small files at once with git's hash as ETag, large ones through a redirect to another host whose first
/// answer names SHA-256 and size.
/// </summary>
internal sealed class FakeHub : IDisposable
{
    private const int Large = 10_000; // bytes from which a file lies in LFS here

    private readonly HttpListener listener = new();
    private readonly Dictionary<string, byte[]> files = [];
    private readonly int port;

    public FakeHub()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }
        listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}/"));
        listener.Start();
        _ = Task.Run(ServeAsync);
    }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    /// <summary>Paths of files whose bytes were sent.</summary>
    public ConcurrentQueue<string> Sent { get; } = new();

    public void Add(string repository, string revision, string file, byte[] content) =>
        files[$"/{repository}/resolve/{revision}/{file}"] = content;

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        await foreach (var context in listener.RequestsAsync())
        {
            var (request, response) = (context.Request, context.Response);
            var path = request.Url!.AbsolutePath;
            if (!files.TryGetValue(path, out var content))
            {
                response.StatusCode = 404;
            }
            else if (request.Url.Host == "localhost" || content.Length < Large)
            {
#pragma warning disable CA5350 // git's own object name
                var git = SHA1.HashData([.. System.Text.Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]);
#pragma warning restore CA5350
                response.AddHeader(
                    "ETag",
                    request.Url.Host == "localhost" ? "\"of the content network\"" : $"\"{Convert.ToHexStringLower(git)}\""
                );
                response.AddHeader("X-Repo-Commit", path.Split('/')[4]);
                response.ContentLength64 = content.Length;
                if (request.HttpMethod == "GET")
                {
                    Sent.Enqueue(path);
                    await response.OutputStream.WriteAsync(content);
                }
            }
            else
            {
                response.StatusCode = 302;
                response.AddHeader("X-Repo-Commit", path.Split('/')[4]);
                response.AddHeader("X-Linked-Etag", $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"");
                response.AddHeader("X-Linked-Size", content.Length.ToString(CultureInfo.InvariantCulture));
                response.RedirectLocation = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}{path}");
            }
            response.Close();
        }
    }
}
