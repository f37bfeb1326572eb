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
    private const string Revision = "0123456789abcdef0123456789abcdef01234567";
    private readonly HttpListener listener = new();
    private readonly ImmediateTime time = new();
    private readonly List<string> told = [];
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-pull-").FullName;
    private readonly int port;
    private readonly ConcurrentQueue<(string Method, string Path, string? Range, string? Authorization)> requests = new();
    private readonly ConcurrentQueue<Action<HttpListenerContext>> answers = new();

    public ModelsPullTests()
    {
        port = FreePort();
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

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static BaseFile File(string? sha) =>
        new(
            "vae/model.safetensors",
            "owner/repo",
            Revision,
            "vae/model file.safetensors",
            Content.Length,
            sha,
            "mit",
            "https://example.org/licence"
        );

    private async Task<ContentHash> FetchAsync(string? sha, string? token = null, TimeSpan? stallPatience = null)
    {
        using var source = new ModelSource(Endpoint, token) { StallPatience = stallPatience ?? TimeSpan.FromMinutes(1) };
        return await new ModelDownload(source, time).FetchAsync(
            File(sha),
            Target,
            sha is null ? null : new ContentHash(sha),
            (_, _) => { },
            told.Add,
            CancellationToken.None
        );
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
        var starts = requests
            .Skip(1)
            .Select(request => long.Parse(request.Range!["bytes=".Length..^1], CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal(starts.Order(), starts);
        Assert.True(starts[^1] > 100_000, $"the last request began at byte {starts[^1]}");
        Assert.Equal($"/owner/repo/resolve/{Revision}/vae/model%20file.safetensors", requests.First().Path);
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
        Assert.Equal(
            [
                $"vae/model.safetensors from {Endpoint.Authority}: the server answers 429 Too Many Requests. Attempt 2 of 6 in 17 s.",
                $"vae/model.safetensors from {Endpoint.Authority}: the server answers 503 Service Unavailable. Attempt 3 of 6 in 2 s.",
                $"vae/model.safetensors from {Endpoint.Authority}: the server answers 503 Service Unavailable. Attempt 4 of 6 in 4 s.",
            ],
            told);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_server_that_takes_the_request_and_answers_nothing_is_asked_again()
    {
        var silent = new List<HttpListenerContext>();
        answers.Enqueue(silent.Add);
        await FetchAsync(Sha, stallPatience: TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(40));
        Assert.Single(silent);
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));

        for (var i = 0; i < 6; i++)
            answers.Enqueue(silent.Add);
        System.IO.File.Delete(Target);
        var e = await Assert.ThrowsAsync<CliException>(() =>
            FetchAsync(Sha, stallPatience: TimeSpan.FromSeconds(0.2)).WaitAsync(TimeSpan.FromSeconds(40))
        );
        Assert.Contains("nothing came for 0.2 s", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_stays_down_is_given_up_with_what_it_said()
    {
        for (var i = 0; i < 20; i++)
            answers.Enqueue(context => Fail(context, 503, null));
        var e = await Assert.ThrowsAsync<CliException>(() => FetchAsync(Sha));
        Assert.Contains(" in 6 attempts: the server answers 503 Service Unavailable.", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 4, 8, 16], time.Pauses.Select(pause => (int)pause.TotalSeconds)); // none after the last
        Assert.Equal(5, told.Count);
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
        WriteManifest(Sha, Content.Length);

        var dry = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big", "--dry-run");
        Assert.Equal((0, ""), (dry.ExitCode, dry.Errors));
        Assert.Contains("1 of 1 file is missing, 1.0 MiB on disk", dry.Output, StringComparison.Ordinal);
        Assert.Contains("free)", dry.Output, StringComparison.Ordinal);
        Assert.Contains("licence openrail++: owner/repo (1.0 MiB), https://example.org/licence", dry.Output, StringComparison.Ordinal);
        Assert.Empty(requests);

        var first = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Equal((0, ""), (first.ExitCode, first.Errors));
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
        var asked = requests.Count;
        var second = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big", "--json");
        Assert.Equal(0, JsonNode.Parse(second.Lines[^1])!["downloaded"]!.GetValue<int>());
        Assert.Equal(asked, requests.Count);

        var nothing = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big", "--only", "blip");
        Assert.Equal("No file of big has 'blip' in its path. Its files: vae/model.safetensors.\n", nothing.Errors);
    }

    [Fact]
    public async Task What_another_pull_locks_while_this_one_starts_is_kept()
    {
        WriteManifest(sha: null, bytes: null);
        // Between this pull's first question and its download another one has finished: its lock file is there by now.
        var other = new JsonObject
        {
            ["repository"] = "owner/other",
            ["revision"] = Revision,
            ["file"] = "f",
            ["hash"] = Sha,
            ["bytes"] = 1,
            ["written_utc_ticks"] = 1,
        };
        answers.Enqueue(context =>
        {
            System.IO.File.WriteAllText(Path.Combine(folder, "big.lock"), new JsonObject { ["other/file"] = other }.ToJsonString());
            Large(context, Sha);
        });
        answers.Enqueue(context => Large(context, Sha));
        var pulled = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Equal((0, ""), (pulled.ExitCode, pulled.Errors));
        var locked = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(folder, "big.lock")))!.AsObject();
        Assert.Equal(["other/file", "vae/model.safetensors"], locked.Select(entry => entry.Key));
    }

    [Fact]
    public async Task A_hash_that_only_the_server_knew_is_kept_in_the_lock_file_and_holds_for_later_pulls()
    {
        WriteManifest(sha: null, bytes: null);
        for (var i = 0; i < 2; i++) // the size is asked for first, then the file
            answers.Enqueue(context => Large(context, Sha));
        var first = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "--base", "big");
        Assert.Equal((0, ""), (first.ExitCode, first.Errors));
        Assert.Contains("1 of 1 file is missing, 1.0 MiB on disk in", first.Output, StringComparison.Ordinal);
        Assert.Equal("HEAD", requests.First().Method);
        var locked = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(folder, "big.lock")))!["vae/model.safetensors"]!;
        Assert.Equal((Sha, Revision), (locked["hash"]!.GetValue<string>(), locked["revision"]!.GetValue<string>()));

        // The file is lost, and the server has another one by now.
        System.IO.File.Delete(Target);
        var other = RandomNumberGenerator.GetBytes(Content.Length);
        for (var i = 0; i < 2; i++)
            answers.Enqueue(context => Large(context, Convert.ToHexStringLower(SHA256.HashData(other))));
        var changed = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Equal(1, changed.ExitCode);
        Assert.Contains($"when it was first pulled it was {Sha}. Nothing was downloaded.", changed.Errors, StringComparison.Ordinal);

        // Nor does it help to announce nothing and send other bytes.
        for (var i = 0; i < 3; i++)
            answers.Enqueue(context => Send(context, other));
        var silent = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Contains($"expected {Sha}", silent.Errors, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(Target));

        // Put there by hand, it counts: its bytes are right.
        System.IO.File.WriteAllBytes(Target, Content);
        var asked = requests.Count(request => request.Method == "GET");
        var back = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big", "--json");
        Assert.Equal((0, 0), (back.ExitCode, JsonNode.Parse(back.Lines[^1])!["downloaded"]!.GetValue<int>()));
        Assert.Equal(asked, requests.Count(request => request.Method == "GET"));
    }

    [Fact]
    public async Task A_server_that_resolves_the_revision_to_another_commit_is_not_believed()
    {
        answers.Enqueue(context =>
        {
            context.Response.AddHeader("X-Repo-Commit", new string('f', 40));
            Send(context);
        });
        var e = await Assert.ThrowsAsync<CliException>(() => FetchAsync(null));
        Assert.Contains($"is of commit {new string('f', 40)} there, the manifest pins {Revision}", e.Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(Target));
    }

    [Fact]
    public async Task Another_port_of_the_same_host_gets_no_token_and_its_etag_is_no_hash()
    {
        var otherPort = FreePort();
        using var elsewhere = new HttpListener();
        elsewhere.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{otherPort}/"));
        elsewhere.Start();
        string? authorization = "none came";
        var served = Task.Run(async () =>
        {
            var context = await elsewhere.GetContextAsync();
            authorization = context.Request.Headers["Authorization"];
            context.Response.AddHeader("ETag", $"\"{new string('e', 64)}\"");
            Send(context);
        });
        answers.Enqueue(context =>
        {
            context.Response.StatusCode = 302;
            context.Response.AddHeader("X-Linked-Etag", $"\"{Sha}\"");
            context.Response.RedirectLocation = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{otherPort}/cdn");
            context.Response.Close();
        });
        Assert.Equal(Sha, (await FetchAsync(null, "hf_secret")).Hex);
        await served;
        Assert.Null(authorization);
        Assert.Equal("Bearer hf_secret", Assert.Single(requests).Authorization);
    }

    [Fact]
    public async Task A_new_models_folder_gets_the_manifest_so_that_host_and_container_find_it_beside_the_files()
    {
        var empty = Path.Combine(folder, "on", "another", "disk");
        var environment = new Dictionary<string, string>(Environment) { ["SDXL_MODELS"] = empty };
        answers.Enqueue(context => Fail(context, 404, null));
        var pulled = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "sdxl", "--only", "yunet");
        Assert.Contains(
            "face_detection_yunet/resolve/3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/face_detection_yunet_2023mar.onnx is not there (404)",
            pulled.Errors,
            StringComparison.Ordinal
        );
        Assert.Equal(
            System.IO.File.ReadAllBytes(Path.Combine(TestPaths.Models, "sdxl.json")),
            System.IO.File.ReadAllBytes(Path.Combine(empty, "sdxl.json"))
        );
        var drawn = await SdxlProcess.RunAsync(folder, null, environment, "draw", "a cat", "--version", "none", "--base", "sdxl");
        Assert.Contains($"Base model 'sdxl' is not complete: {empty} lacks ", drawn.Errors, StringComparison.Ordinal);
        var other = await SdxlProcess.RunAsync(folder, null, environment, "models", "pull", "no-such");
        Assert.Equal($"There is no base model called 'no-such' in {empty}. Known: sdxl.\n", other.Errors);
    }

    [Fact]
    public async Task Without_a_network_the_command_says_so_at_once_and_when_it_tries_again()
    {
        WriteManifest(Sha, null);
        var environment = new Dictionary<string, string>(Environment)
        {
            ["HF_ENDPOINT"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"),
        };
        using var pull = SdxlProcess.Start(folder, environment, "models", "pull", "big");
        var lines = new List<string>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (
            lines.Count(line => line.Contains("Attempt", StringComparison.Ordinal)) < 2
            && await pull.StandardOutput.ReadLineAsync(patience.Token) is { } line
        )
            lines.Add(line.Trim());
        await SdxlProcess.InterruptAsync(pull);
        await pull.WaitForExitAsync(patience.Token);

        var server = environment["HF_ENDPOINT"]["http://".Length..];
        Assert.Contains(lines, line => line.StartsWith($"{server} does not answer: Connection refused", StringComparison.Ordinal));
        Assert.Contains(
            lines,
            line =>
                line.StartsWith($"vae/model.safetensors from {server}: Connection refused", StringComparison.Ordinal)
                && line.EndsWith("Attempt 2 of 6 in 1 s.", StringComparison.Ordinal)
        );
        Assert.Contains(lines, line => line.EndsWith("Attempt 3 of 6 in 2 s.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_token_is_in_no_output_whatever_fails()
    {
        WriteManifest(Sha, Content.Length);
        foreach (var status in new[] { 401, 403, 404 })
        {
            answers.Enqueue(context => Fail(context, status, null));
            var failed = await SdxlProcess.RunAsync(
                folder,
                null,
                new Dictionary<string, string>(Environment) { ["HF_TOKEN"] = "hf_secret" },
                "models",
                "pull",
                "big"
            );
            Assert.Equal(1, failed.ExitCode);
            Assert.DoesNotContain("hf_secret", failed.Output + failed.Errors, StringComparison.Ordinal);
        }
        Assert.All(requests, request => Assert.Equal("Bearer hf_secret", request.Authorization));
        var wrong = await SdxlProcess.RunAsync(
            folder,
            null,
            new Dictionary<string, string>(Environment) { ["HF_ENDPOINT"] = "not an address" },
            "models",
            "pull",
            "big"
        );
        Assert.Equal("HF_ENDPOINT is 'not an address'; it must be an address such as https://huggingface.co.\n", wrong.Errors);
    }

    [Fact]
    public async Task Commands_that_need_a_base_model_that_is_not_complete_name_the_files_and_the_command()
    {
        WriteManifest(Sha, Content.Length);
        foreach (
            var command in new[]
            {
                new[] { "up" },
                ["draw", "a cat", "--version", "none"],
                ["train", Path.Combine(TestPaths.Root, "examples", "gizmo.zip")],
            }
        )
        {
            var refused = await SdxlProcess.RunAsync(folder, null, Environment, [.. command, "--base", "big"]);
            Assert.Equal(
                (
                    1,
                    $"Base model 'big' is not complete: {folder} lacks vae/model.safetensors. Download what is missing with: ./sdxl models "
                        + "pull big.\n"
                ),
                (refused.ExitCode, refused.Errors)
            );
        }
        Assert.Empty(requests);
    }

    [Fact]
    public async Task A_second_pull_of_the_same_folder_is_refused_while_one_is_at_work_and_an_interrupted_one_goes_on_later()
    {
        WriteManifest(Sha, Content.Length);
        using var half = new ManualResetEventSlim();
        var (sent, interrupt) = (new TaskCompletionSource(), new TaskCompletionSource());
        answers.Enqueue(context =>
        {
            context.Response.ContentLength64 = Content.Length;
            context.Response.OutputStream.Write(Content, 0, 500_000);
            context.Response.OutputStream.Flush();
            sent.SetResult();
            half.Wait();
            context.Response.Abort();
        });
        var first = SdxlProcess.RunAsync(folder, interrupt.Task, Environment, "models", "pull", "big");
        await sent.Task;
        while (!System.IO.File.Exists(Target + ".part") || new FileInfo(Target + ".part").Length == 0)
            await Task.Delay(20);
        var second = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Equal(
            (1, $"Another ./sdxl models pull is at work in {folder}. Let it finish, or stop it first.\n"),
            (second.ExitCode, second.Errors)
        );
        interrupt.SetResult();
        Assert.Equal(130, (await first).ExitCode);
        half.Set();

        var third = await SdxlProcess.RunAsync(folder, null, Environment, "models", "pull", "big");
        Assert.Equal((0, ""), (third.ExitCode, third.Errors));
        Assert.Equal(Content, System.IO.File.ReadAllBytes(Target));
        Assert.NotNull(requests.Last().Range);
    }

    private Dictionary<string, string> Environment => new() { ["SDXL_MODELS"] = folder, ["HF_ENDPOINT"] = Endpoint.ToString() };

    private void WriteManifest(string? sha, int? bytes) =>
        System.IO.File.WriteAllText(
            Path.Combine(folder, "big.json"),
            new JsonObject
            {
                ["name"] = "big",
                ["description"] = "d",
                ["model"] = "vae",
                ["refiner"] = null,
                ["vision"] = ".",
                ["training_defaults"] = new JsonObject(),
                ["prediction_defaults"] = new JsonObject(),
                ["sources"] = new JsonArray(
                    new JsonObject
                    {
                        ["repository"] = "owner/repo",
                        ["revision"] = Revision,
                        ["licence"] = "openrail++",
                        ["licence_url"] = "https://example.org/licence",
                        ["into"] = "vae",
                        ["files"] = new JsonArray(
                            new JsonObject
                            {
                                ["file"] = "m.safetensors",
                                ["as"] = "model.safetensors",
                                ["bytes"] = bytes,
                                ["sha256"] = sha,
                            }
                        ),
                    }
                ),
            }.ToJsonString()
        );

    /// <summary>As Hugging Face answers for a large file, here without the redirect.</summary>
    private static void Large(HttpListenerContext context, string sha)
    {
        context.Response.AddHeader("X-Linked-Etag", $"\"{sha}\"");
        context.Response.AddHeader("X-Linked-Size", Content.Length.ToString(CultureInfo.InvariantCulture));
        context.Response.AddHeader("X-Repo-Commit", Revision);
        Send(context);
    }

    private async Task ServeAsync()
    {
        await foreach (var context in listener.RequestsAsync())
        {
            requests.Enqueue(
                (
                    context.Request.HttpMethod,
                    context.Request.Url!.AbsolutePath,
                    context.Request.Headers["Range"],
                    context.Request.Headers["Authorization"]
                )
            );
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
        if (context.Request.HttpMethod == "HEAD")
        {
            context.Response.ContentLength64 = bytes.Length;
            context.Response.Close();
            return;
        }
        var start =
            context.Request.Headers["Range"] is { } range && !ignoreRange
                ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture)
                : 0;
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
