using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Net;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Hosting;
using Sdxl.Tests;

namespace Sdxl.EndToEnd.Tests;

/// <summary>The local host as users run it: its own process, real Azurite, real GPU worker process; on a state folder of its own.</summary>
public sealed class LocalHostProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(2);

    private readonly List<string> _log = [];
    private Process? _process;

    public LocalHostProcess() => State = Directory.CreateTempSubdirectory("sdxl-e2e-").FullName;

    public string State { get; }

    public HttpClient Http { get; private set; } = new();

    public BlobServiceClient Blobs { get; private set; } = null!;

    public int ProcessId => _process!.Id;

    /// <summary>What the host printed so far, for messages of failed tests.</summary>
    public string Output
    {
        get
        {
            lock (_log)
                return string.Join('\n', _log.TakeLast(60));
        }
    }

    public bool HasPrinted(string text)
    {
        lock (_log)
            return _log.Exists(line => line.Contains(text, StringComparison.Ordinal));
    }

    /// <summary>An address of this machine that the host may be told to post to and to fetch from; the others may not be.</summary>
    public const string TrustedAddress = "127.0.0.2";

    /// <summary>A base model that is the toy in all but its name, and does not say that it has no safety checker.</summary>
    public const string UncheckedBase = "unchecked";

    /// <summary>Starts it; after a kill at the same address, where whoever talked with it looks for it.</summary>
    /// <param name="environment">Variables for the host and all that it starts.</param>
    public async Task StartAsync(params (string Name, string Value)[] environment)
    {
        var info = new ProcessStartInfo(
            "dotnet",
            [
                Repository.Program(TestPaths.Root, "local", "Sdxl.Local"),
                "--state",
                State,
                $"--Sdxl:TrustedHosts={TrustedAddress}",
                .. Port(),
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestPaths.Root,
        };
        info.Environment["SDXL_MODELS"] = Models();
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        _process = Process.Start(info)!;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"The host exited with {_process.ExitCode} while starting:\n{Output}");
            if (watch.Elapsed > StartTimeout)
                throw new TimeoutException($"The host did not start within {StartTimeout}:\n{Output}");
            if (await TryConnectAsync())
                return;
            await Task.Delay(100);
        }
    }

    private string[] Port() =>
        Http.BaseAddress is { } before ? ["--port", before.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)] : [];

    /// <summary>The repository's models, and <see cref="UncheckedBase"/>.</summary>
    private string Models()
    {
        var models = Path.Combine(State, "base-models");
        if (Directory.Exists(models))
            return models;
        Directory.CreateDirectory(models);
        foreach (var entry in Directory.GetFileSystemEntries(TestPaths.Models))
            File.CreateSymbolicLink(Path.Combine(models, Path.GetFileName(entry)), entry);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Models, "toy.json")))!.AsObject();
        manifest["name"] = UncheckedBase;
        manifest.Remove("has_safety_checker");
        File.WriteAllText(Path.Combine(models, UncheckedBase + ".json"), manifest.ToJsonString());
        return models;
    }

    /// <summary>kill -9: no handler runs.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -9 of the GPU worker process.</summary>
    public void KillWorker()
    {
        var worker = WorkerProcesses().First();
        Process.GetProcessById(worker).Kill();
    }

    /// <summary>STOP, CONT, KILL.</summary>
    public static void Signal(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>
    /// A second GPU worker beside the host's own, as another machine's would be: with the host's connections and a scratch of its own.
    /// </summary>
    public Process StartAnotherWorker()
    {
        var settings = File.ReadAllText($"/proc/{WorkerProcesses().First()}/environ")
            .Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .Where(pair =>
                pair.Length == 2
                && (pair[0].StartsWith("Sdxl", StringComparison.Ordinal) || pair[0].StartsWith("SDXL_MODELS", StringComparison.Ordinal))
            );
        var info = new ProcessStartInfo("dotnet", [Repository.Program(TestPaths.Root, "gpu-worker", "Sdxl.GpuWorker")])
        {
            WorkingDirectory = TestPaths.Root, RedirectStandardOutput = true,
        };
        foreach (var pair in settings)
            info.Environment[pair[0]] = pair[1];
        info.Environment["Sdxl__ScratchFolder"] = Path.Combine(State, "another-worker");
        var worker = Process.Start(info)!;
        worker.OutputDataReceived += Keep;
        worker.BeginOutputReadLine();
        return worker;
    }

    private void Keep(object sender, DataReceivedEventArgs e)
    {
        lock (_log)
            _log.Add(e.Data ?? "");
    }

    /// <summary>Ids of the processes that run as this host's GPU worker: the deployed program, started by the host.</summary>
    public IEnumerable<int> WorkerProcesses() => Children("Sdxl.GpuWorker.dll");

    /// <summary>Ids of the processes that this host started with that program.</summary>
    public IEnumerable<int> Children(string program)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
                continue;
            string[] arguments;
            int parent;
            try
            {
                arguments = File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
                parent = int.Parse(
                    File.ReadAllText(Path.Combine(folder, "stat")).Split(')')[^1].Split(' ')[2],
                    System.Globalization.CultureInfo.InvariantCulture
                );
            }
            catch (IOException)
            {
                continue; // It has ended.
            }
            if (parent == _process!.Id && arguments.Any(a => a.EndsWith(program, StringComparison.Ordinal)))
                yield return id;
        }
    }

    /// <summary>Uploads an archive as a user would: the ordinary blob client, inputs as metadata.</summary>
    public async Task UploadAsync(string name, byte[] archive, IDictionary<string, string>? metadata = null)
    {
        var container = Blobs.GetBlobContainerClient("uploads");
        await container.CreateIfNotExistsAsync();
        await container.GetBlobClient(name).UploadAsync(new BinaryData(archive), new BlobUploadOptions { Metadata = metadata });
    }

    public async Task<HttpResponseMessage> PostAsync(byte[] archive, string name, IDictionary<string, string>? fields = null)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(archive), "input_images", name } };
        foreach (var (key, value) in fields ?? new Dictionary<string, string>())
            form.Add(new StringContent(value), key);
        return await Http.PostAsync("v1/trainings", form);
    }

    public string TrainingPath(string id) => $"v1/trainings/{id}";

    /// <summary>Draws with the base model, in few steps, and waits for the end.</summary>
    public async Task<JsonObject> DrawAsync(string prompt)
    {
        var answer = await Http.PostAsJsonAsync(
            "v1/predictions",
            new
            {
                input = new
                {
                    prompt,
                    num_inference_steps = 2,
                    disable_safety_checker = true,
                },
            }
        );
        var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        return await EventuallyAsync(
            async () =>
                await GetAsync($"v1/predictions/{id}") is var drawn
                && drawn["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled"
                    ? drawn
                    : null,
            TimeSpan.FromSeconds(120),
            $"prediction {id}"
        );
    }

    public async Task CancelAsync(string id) => Assert.True((await Http.PostAsync($"v1/trainings/{id}/cancel", null)).IsSuccessStatusCode);

    /// <summary>The only training of that model name, once there is one.</summary>
    public async Task<string> TrainingOfAsync(string name)
    {
        return await EventuallyAsync(
            async () =>
                (await GetAsync("v1/trainings"))["results"]!
                    .AsArray()
                    .FirstOrDefault(t => t!["destination"]!.GetValue<string>().EndsWith("/" + name, StringComparison.Ordinal))
                    ?["id"]?.GetValue<string>(),
            TimeSpan.FromSeconds(60),
            $"a training named {name}");
    }

    public async Task<JsonObject> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(path);
        return await ReadAsync(path, answer);
    }

    /// <summary>null where a program that was killed cannot answer just now: clients ask again then.</summary>
    private async Task<JsonObject?> AskAsync(string path)
    {
        using var answer = await Http.GetAsync(path);
        return answer.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable ? null : await ReadAsync(path, answer);
    }

    private async Task<JsonObject> ReadAsync(string path, HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"GET {path} answered {(int)answer.StatusCode}: {text}\n{Output}");
        return JsonNode.Parse(text)!.AsObject();
    }

    public Task<JsonObject> EndOfTrainingAsync(string id, int timeoutSeconds = 240) => UntilAsync(
        id, t => t["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled", "an end", timeoutSeconds);

    public async Task<JsonObject> UntilAsync(string id, Func<JsonObject, bool> reached, string what, int timeoutSeconds = 240)
    {
        JsonObject? last = null;
        return await EventuallyAsync(
            async () => await AskAsync($"v1/trainings/{id}") is { } now && reached(last = now) ? last : null,
            TimeSpan.FromSeconds(timeoutSeconds),
            $"{what} of training {id}",
            () => last?.ToJsonString() ?? "");
    }

    /// <summary>
    /// Asks again and again, every 150 ms: what is waited for happens in other processes, which want the processors themselves.
    /// </summary>
    public async Task<T> EventuallyAsync<T>(Func<Task<T?>> ask, TimeSpan timeout, string what, Func<string>? last = null) where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await ask() is { } found)
                return found;
            if (watch.Elapsed > timeout)
                throw new TimeoutException($"Waited {timeout.TotalSeconds} s for {what}. {last?.Invoke()}\nHost:\n{Output}");
            await Task.Delay(150);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            // What Ctrl-C and service managers send: the host stops everything it started.
            Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]).WaitForExit();
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                await _process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                throw new TimeoutException($"The host did not stop within 30 s of SIGTERM:\n{Output}");
            }
        }
        Http.Dispose();
        Directory.Delete(State, recursive: true);
    }

    private async Task<bool> TryConnectAsync()
    {
        if (HostFile.TryRead(State) is not { } host || host.Pid != _process!.Id)
            return false; // Left by a host that was killed.
        Http = new HttpClient { BaseAddress = host.Url, Timeout = TimeSpan.FromMinutes(2) };
        Http.DefaultRequestHeaders.Authorization = new("Bearer", host.Token);
        Blobs = new BlobServiceClient(host.StorageConnectionString);
        try
        {
            return (await Http.GetAsync("v1/trainings")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
