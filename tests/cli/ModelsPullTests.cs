using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sdxl.Cli;
using Sdxl.Cli.Models;
using Sdxl.Core.Bases;

namespace Sdxl.Tests.Cli;

/// <summary>Downloads from a server that does everything that servers do.</summary>
public sealed class ModelsPullTests : IDisposable
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(1_000_000);
    private static readonly string Sha = Convert.ToHexStringLower(SHA256.HashData(Content));
    private readonly HttpListener listener = new();
    private readonly ImmediateTime time = new();
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-pull-").FullName;
    private readonly int port;
    private readonly ConcurrentQueue<(string Path, string? Range, string? Authorization)> requests = new();
    private readonly ConcurrentQueue<Action<HttpListenerContext>> answers = new();

    public ModelsPullTests()
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

    private Uri Endpoint => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));

    private string Target => Path.Combine(folder, "vae", "model.safetensors");

    public void Dispose()
    {
        listener.Close();
        Directory.Delete(folder, recursive: true);
    }

    private static BaseFile File(string? sha) => new("vae/model.safetensors", "owner/repo", "0123456789abcdef", "vae/model file.safetensors", Content.Length, sha, "mit");

    private async Task<ContentHash> FetchAsync(string? sha, string? token = null)
    {
        using var source = new ModelSource(Endpoint, token);
        return await new ModelDownload(source, time).FetchAsync(File(sha), Target, (_, _) => { }, CancellationToken.None);
    }

    [Fact]
    public async Task A_download_goes_on_where_each_dropped_connection_left_it()
    {
        for (var i = 0; i < 9; i++)
            answers.Enqueue(context => Send(context, limit: 100_000));
        await FetchAsync(Sha);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
        Assert.False(System.IO.File.Exists(Target + ".part"));
        // Not the exact bytes: a reset connection may take with it what was under way.
        var starts = requests.Skip(1).Select(request => long.Parse(request.Range!["bytes=".Length..^1], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(starts.Order(), starts);
        Assert.True(starts[^1] > 100_000, $"the last request began at byte {starts[^1]}");
        Assert.Equal("/owner/repo/resolve/0123456789abcdef/vae/model%20file.safetensors", requests.First().Path);
    }

    [Fact]
    public async Task A_part_from_an_earlier_run_is_completed()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        System.IO.File.WriteAllBytes(Target + ".part", Content[..400_000]);
        await FetchAsync(Sha);
        Assert.Equal("bytes=400000-", Assert.Single(requests).Range);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_that_is_complete_is_answered_416_and_verified()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        System.IO.File.WriteAllBytes(Target + ".part", Content);
        await FetchAsync(Sha);
        Assert.Single(requests);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_that_is_too_long_or_of_another_file_starts_anew()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        System.IO.File.WriteAllBytes(Target + ".part", new byte[Content.Length + 7]);
        await FetchAsync(Sha);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
        System.IO.File.WriteAllBytes(Target + ".part", new byte[500_000]);
        await FetchAsync(Sha);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_is_read_from_the_start()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        System.IO.File.WriteAllBytes(Target + ".part", Content[..400_000]);
        answers.Enqueue(context => Send(context, ignoreRange: true));
        await FetchAsync(Sha);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_busy_server_is_asked_again_after_the_time_it_names()
    {
        answers.Enqueue(context => Fail(context, 429, "17"));
        answers.Enqueue(context => Fail(context, 503, null));
        answers.Enqueue(context => Fail(context, 503, null));
        await FetchAsync(Sha);
        Assert.Equal([17, 2, 4], time.Pauses.Select(pause => (int)pause.TotalSeconds));
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_server_that_stays_down_is_given_up_with_what_it_said()
    {
        for (var i = 0; i < 20; i++)
            answers.Enqueue(context => Fail(context, 503, null));
        var e = await Assert.ThrowsAsync<CliException>(() => FetchAsync(Sha));
        Assert.Contains("the server answers 503", e.Message, StringComparison.Ordinal);
        Assert.Contains("run ./sdxl models pull again", e.Message, StringComparison.Ordinal);
        Assert.Equal(6, requests.Count);
    }

    [Theory]
    [InlineData(404, "is not there (404): the manifest's repository, revision or file name is wrong")]
    [InlineData(401, "accept its licence (mit) at http://127.0.0.1")]
    [InlineData(403, "set HF_TOKEN")]
    public async Task An_answer_that_will_not_change_is_final_at_once(int status, string sentence)
    {
        answers.Enqueue(context => Fail(context, status, null));
        var e = await Assert.ThrowsAsync<CliException>(() => FetchAsync(Sha));
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
        Assert.Single(requests);
    }

    [Fact]
    public async Task Wrong_bytes_are_never_kept()
    {
        var wrong = Content.ToArray();
        wrong[777] ^= 1;
        for (var i = 0; i < 2; i++)
            answers.Enqueue(context => Send(context, wrong));
        var e = await Assert.ThrowsAsync<CliException>(() => FetchAsync(Sha));
        Assert.Contains($"expected {Sha}", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Target)!));
        await FetchAsync(Sha);
    }

    [Fact]
    public async Task A_large_files_hash_is_taken_from_the_first_answer_and_the_token_never_leaves_that_host()
    {
        answers.Enqueue(context =>
        {
            context.Response.StatusCode = 302;
            context.Response.AddHeader("X-Linked-Etag", $"\"{Sha}\"");
            context.Response.RedirectLocation = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}/cdn");
            context.Response.Close();
        });
        Assert.Equal(Sha, (await FetchAsync(null, "hf_secret")).Hex);
        Assert.Equal(["Bearer hf_secret", null], requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task A_small_files_hash_is_gits()
    {
        var git = Convert.ToHexStringLower(SHA1.HashData([.. System.Text.Encoding.ASCII.GetBytes($"blob {Content.Length}\0"), .. Content]));
        answers.Enqueue(context =>
        {
            context.Response.AddHeader("ETag", $"\"{git}\"");
            Send(context);
        });
        Assert.Equal(git, (await FetchAsync(null)).Hex);
    }

    [Fact]
    public async Task The_command_says_licence_and_size_first_then_pulls_once()
    {
        var manifest = new JsonObject
        {
            ["name"] = "big", ["description"] = "d", ["model"] = "vae", ["refiner"] = null, ["vision"] = ".", ["training_defaults"] = new JsonObject(), ["prediction_defaults"] = new JsonObject(),
            ["files"] = new JsonArray(new JsonObject
            {
                ["path"] = "vae/model.safetensors", ["repository"] = "owner/repo", ["revision"] = "0123", ["file"] = "m.safetensors", ["bytes"] = Content.Length, ["sha256"] = Sha, ["licence"] = "openrail++",
            }),
        };
        System.IO.File.WriteAllText(Path.Combine(folder, "big.json"), manifest.ToJsonString());
        var environment = new Dictionary<string, string> { ["SDXL_MODELS"] = folder, ["HF_ENDPOINT"] = Endpoint.ToString() };

        var dry = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "--base", "big", "--dry-run");
        Assert.Equal((0, ""), (dry.ExitCode, dry.Errors));
        Assert.Contains("1 of 1 files are missing, 1.0 MiB on disk", dry.Output, StringComparison.Ordinal);
        Assert.Contains("licence openrail++: owner/repo", dry.Output, StringComparison.Ordinal);
        Assert.Empty(requests);

        var first = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "--base", "big");
        Assert.Equal((0, ""), (first.ExitCode, first.Errors));
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
        var asked = requests.Count;
        var second = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "--base", "big", "--json");
        Assert.Equal(0, JsonNode.Parse(second.Lines[^1])!["downloaded"]!.GetValue<int>());
        Assert.Equal(asked, requests.Count);

        var nothing = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "--base", "big", "--only", "blip");
        Assert.Equal("No file of big has 'blip' in its path. Its files: vae/model.safetensors.\n", nothing.Errors);
    }

    private async Task ServeAsync()
    {
        while (listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return; // closed
            }
            requests.Enqueue((context.Request.Url!.AbsolutePath, context.Request.Headers["Range"], context.Request.Headers["Authorization"]));
            if (answers.TryDequeue(out var answer))
                answer(context);
            else
                Send(context);
        }
    }

    private static void Fail(HttpListenerContext context, int status, string? retryAfter)
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null)
            context.Response.AddHeader("Retry-After", retryAfter);
        context.Response.Close();
    }

    /// <summary>The content from the range's start; with a limit the connection breaks after so many bytes.</summary>
    private static void Send(HttpListenerContext context, byte[]? bytes = null, int? limit = null, bool ignoreRange = false)
    {
        bytes ??= Content;
        var start = context.Request.Headers["Range"] is { } range && !ignoreRange ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
        if (start >= bytes.Length)
        {
            context.Response.StatusCode = 416;
            context.Response.AddHeader("Content-Range", $"bytes */{bytes.Length}");
            context.Response.Close();
            return;
        }
        if (start > 0)
        {
            context.Response.StatusCode = 206;
            context.Response.AddHeader("Content-Range", $"bytes {start}-{bytes.Length - 1}/{bytes.Length}");
        }
        var count = Math.Min(limit ?? int.MaxValue, bytes.Length - start);
        context.Response.ContentLength64 = bytes.Length - start;
        context.Response.OutputStream.Write(bytes, start, count);
        context.Response.OutputStream.Flush();
        if (count < bytes.Length - start)
            context.Response.Abort();
        else
            context.Response.Close();
    }

    /// <summary>Pauses are noted and take no time.</summary>
    private sealed class ImmediateTime : TimeProvider
    {
        public List<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
