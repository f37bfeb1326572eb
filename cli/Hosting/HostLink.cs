using System.Diagnostics;
using Sdxl.Cli.Api;
using Sdxl.Cli.Setup;
using Sdxl.Cli.Show;
using Sdxl.Core.Hosting;
using Sdxl.Core.Telemetry;

namespace Sdxl.Cli.Hosting;

/// <summary>
/// A running host: the one that is there already on the state folder, else one started for this command and stopped at its end, or as soon
/// after it as no other command uses it.
/// </summary>
internal sealed class HostLink : IAsyncDisposable
{
    private const int StartSeconds = 90; // Azurite's first start on a slow disk takes 10
    private const int StopSeconds = 60; // the worker writes a checkpoint first (20 at most), then functions, queues and Azurite save theirs
    private const int LogLinesInError = 15;
    private const int AlreadyRunning = 3; // exit code of a host whose state folder another one has
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    private readonly Process? child;
    private readonly FileStream? use; // null: a service elsewhere
    private readonly bool isAlone;
    private readonly IShow show;
    private readonly CancellationToken cancel;

    private HostLink(HostFile file, Process? child, FileStream? use, bool isAlone, IShow show, CancellationToken cancel)
    {
        this.child = child;
        this.use = use;
        this.isAlone = isAlone;
        this.show = show;
        this.cancel = cancel;
        File = file;
        Api = new ApiClient(file.Url, file.Token);
    }

    public HostFile File { get; }

    public ApiClient Api { get; }

    /// <summary>true if this command started it and will stop it.</summary>
    public bool IsOurs => child is not null;

    private static string LogPath => Path.Combine(Places.Home, "logs", "host.log");

    /// <param name="show">Told that a host is started.</param>
    /// <param name="baseModel">Base model for jobs that name none; null leaves the host's own default.</param>
    /// <param name="hasWorker">Whether a host that is started trains and draws itself; else workers elsewhere do.</param>
    /// <param name="listen">Address at which workers on other machines may reach a host that is started; null: none may.</param>
    /// <param name="otlp">A collector for what a host that is started measures; null: what the environment says.</param>
    /// <param name="isHere">This machine's own host, whatever service commands speak to.</param>
    public static async Task<HostLink> OpenAsync(
        IShow show, string? baseModel, CancellationToken cancel, string? listen = null, bool hasWorker = true, bool isHere = false,
        Uri? otlp = null)
    {
        if (!isHere && Elsewhere(show, cancel) is { } elsewhere)
            return elsewhere;
        var use = await HostUse.WaitAsync(
            () => HostUse.TryShare(Places.Home),
            () => show.Note("another command starts or stops the host; waiting for it"),
            cancel
        );
        try
        {
            if (await RunningAsync(cancel) is { } running)
                return new HostLink(running, null, use, isAlone: false, show, cancel);
            await Installation.EnsureAsync(Installation.Parts.App, show.Note, cancel);
            show.Stage("start", hasWorker ? "the host: storage, functions, worker" : "the host: storage, functions");
            var (file, child) = await StartAsync(baseModel, hasWorker, cancel, listen, otlp);
            return new HostLink(file, child, use, isAlone: false, show, cancel);
        }
        catch
        {
            await use.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// For a command that asks and does not train: the running host, else one without a worker, which would take a waiting job and be
    /// stopped in the middle of it. Nobody else gets such a host: it is this command's alone.
    /// </summary>
    public static async Task<HostLink> OpenWithoutWorkerAsync(IShow show, CancellationToken cancel)
    {
        if (Elsewhere(show, cancel) is { } elsewhere)
            return elsewhere;
        while (true)
        {
            if (HostUse.TryShare(Places.Home) is { } shared)
            {
                if (await RunningAsync(cancel) is { } running)
                    return new HostLink(running, null, shared, isAlone: false, show, cancel);
                await shared.DisposeAsync();
            }
            if (HostUse.TryTakeAlone(Places.Home) is { } alone)
            {
                try
                {
                    await Installation.EnsureAsync(Installation.Parts.App, show.Note, cancel);
                    show.Stage("start", "the host: storage, functions");
                    var (file, child) = await StartAsync(null, hasWorker: false, cancel);
                    return new HostLink(file, child, alone, isAlone: true, show, cancel);
                }
                catch
                {
                    await alone.DisposeAsync();
                    throw;
                }
            }
            await Task.Delay(PollEvery, cancel); // another command starts or stops the host just now
        }
    }

    private static HostLink? Elsewhere(IShow show, CancellationToken cancel) => Remote.Current() is { } remote
        ? new HostLink(new HostFile(remote.Url, "", 0, Token: remote.Token), null, null, isAlone: false, show, cancel) : null;

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (use is null)
            return;
        if (child is null || isAlone)
        {
            await StopAsync(child);
            await use.DisposeAsync();
            return;
        }
        await use.DisposeAsync();
        FileStream? alone = null;
        try
        {
            // After a Ctrl-C the next one ends the process, and the host with it.
            alone = await HostUse.WaitAsync(
                () => HostUse.TryTakeAlone(Places.Home),
                TellWait,
                cancel.IsCancellationRequested ? CancellationToken.None : cancel
            );
        }
        catch (OperationCanceledException)
        {
            // Whoever presses Ctrl-C here wants it stopped now.
        }
        await StopAsync(child);
        if (alone is not null)
            await alone.DisposeAsync();
    }

    private void TellWait()
    {
        const string Sentence = "Another command uses the host, which stops after it. Ctrl-C stops it now.";
        if (show is LiveShow)
            show.Note(Sentence);
        else
            Console.Error.WriteLine(Sentence); // the result is out already, and comes last on stdout
    }

    /// <summary>Waits until the host ends by itself.</summary>
    public Task WaitForExitAsync(CancellationToken cancel) => child?.WaitForExitAsync(cancel) ?? Task.Delay(Timeout.Infinite, cancel);

    private static async Task<HostFile?> RunningAsync(CancellationToken cancel) =>
        HostFile.TryRead(Places.Home) is { } running && IsAlive(running.Pid) && await AnswersAsync(running, cancel) ? running : null;

    /// <returns>The process is null where another host was quicker, which serves this command too.</returns>
    private static async Task<(HostFile File, Process? Child)> StartAsync(
        string? baseModel,
        bool hasWorker,
        CancellationToken cancel,
        string? listen = null,
        Uri? otlp = null
    )
    {
        var assembly = FindAssembly();
        Directory.CreateDirectory(Path.GetDirectoryName(LogPath)!);
        // Its standard input is held open by this command: the host ends with the command that it was started for, also when that is
        // killed.
        var start = new ProcessStartInfo(
            "dotnet",
            [
                assembly,
                "--log",
                LogPath,
                "--end-with-input",
                .. hasWorker ? Array.Empty<string>() : ["--no-worker"],
                .. listen is null ? Array.Empty<string>() : ["--listen", listen],
            ]
        )
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            WorkingDirectory = Places.Root,
        };
        start.Environment["SDXL_HOME"] = Places.Home;
        start.Environment["SDXL_ROOT"] = Places.Root;
        if (baseModel is not null)
            start.Environment["Sdxl__DefaultBase"] = baseModel;
        if (otlp is not null)
            start.Environment[SdxlTelemetry.OtlpEndpoint] = otlp.ToString(); // the host's children have it from there
        var child =
            Process.Start(start) ?? throw new CliException("The host could not be started: the operating system refused a new process.");
        try
        {
            var waited = Stopwatch.StartNew();
            while (waited.Elapsed.TotalSeconds < StartSeconds)
            {
                // Two commands at once: the state folder is the first one's, and its host serves both.
                if (child.HasExited && await RunningAsync(cancel) is { } other)
                {
                    child.Dispose();
                    return (other, null);
                }
                if (child.HasExited && child.ExitCode != AlreadyRunning)
                    throw new CliException($"The host stopped while it was starting (exit code {child.ExitCode}).{Tail()}");
                if (await RunningAsync(cancel) is { } file && !child.HasExited)
                    return (file, child);
                await Task.Delay(PollEvery, cancel);
            }
            throw new CliException($"The host did not answer within {StartSeconds} s.{Tail()}");
        }
        catch
        {
            await StopAsync(child);
            throw;
        }
    }

    private static string FindAssembly()
    {
        var bin = Path.Combine(Places.Root, "local", "bin");
        // The build that this program is of, else whichever is there.
        foreach (var configuration in new[] { Repository.Configuration, "Release", "Debug" })
        {
            var path = Path.Combine(bin, configuration, "net10.0", "Sdxl.Local.dll");
            if (System.IO.File.Exists(path))
                return path;
        }
        throw new CliException($"The local host is not built: {bin} has no Sdxl.Local.dll. Run ./sdxl setup.");
    }

    private static async Task<bool> AnswersAsync(HostFile host, CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        http.DefaultRequestHeaders.Authorization = ApiClient.Bearer(host.Token);
        try
        {
            using var response = await http.GetAsync(new Uri(host.Url, "v1/account"), cancel);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || e is TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>The end of its input, time to write a checkpoint, and only then SIGKILL for it and its children.</summary>
    private static async Task StopAsync(Process? child)
    {
        using var ended = child;
        if (child is null || child.HasExited)
            return;
        child.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(StopSeconds));
        try
        {
            await child.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            child.Kill(entireProcessTree: true);
        }
    }

    private static string Tail()
    {
        if (!System.IO.File.Exists(LogPath))
            return "";
        var lines = System.IO.File.ReadLines(LogPath).TakeLast(LogLinesInError).ToList();
        return lines.Count == 0 ? $" Its log {LogPath} is empty." : $" The end of its log {LogPath}:\n{string.Join('\n', lines)}";
    }
}
