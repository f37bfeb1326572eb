using System.Diagnostics;
using System.Runtime.InteropServices;
using Azure.Messaging;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Hosting;
using Sdxl.Core.Messages;
using Sdxl.Core.Settings;
using Sdxl.Core.Storage;
using Sdxl.Local.Broker;
using Sdxl.Local.Hosting;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Hosting;

public sealed class LocalHostTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TempFolder folder = new();
    private readonly List<Process> started = [];

    public void Dispose()
    {
        foreach (var process in started)
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
        folder.Dispose();
    }

    [Fact]
    public async Task A_host_serves_its_address_refuses_a_second_one_and_stops_within_seconds_of_SIGTERM()
    {
        var host = Start();
        var file = await HostFileOf(host);
        using var http = new HttpClient();
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri(file.Url, "v1/trainings"))).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", file.Token);
        Assert.Equal("""{"previous":null,"next":null,"results":[]}""", await http.GetStringAsync(new Uri(file.Url, "v1/trainings")));
        Assert.Equal(host.Id, file.Pid);

        var second = Start();
        Assert.Equal(LocalHost.AlreadyRunning, await ExitCode(second));
        Assert.Contains($"{file.Url} (process {host.Id})", await second.StandardError.ReadToEndAsync(), StringComparison.Ordinal);

        http.DefaultRequestHeaders.Host = "rebound.example.org";
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await http.GetAsync(new Uri(file.Url, "v1/trainings"))).StatusCode);
        http.DefaultRequestHeaders.Host = null;
        http.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example.org");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await http.GetAsync(new Uri(file.Url, "v1/trainings"))).StatusCode);

        Kill(host.Id, 15);
        Assert.Equal(0, await ExitCode(host));
        Assert.Null(HostFile.TryRead(State.Path));
    }

    [Fact]
    public async Task A_host_killed_with_signal_9_takes_Azurite_along_and_the_next_host_finds_the_blobs()
    {
        var first = Start();
        var storage = new Azure.Storage.Blobs.BlobServiceClient((await HostFileOf(first)).StorageConnectionString);
        await storage.GetBlobContainerClient("jobs").UploadBlobAsync("kept", BinaryData.FromString("kept"));
        var azurite = Process.GetProcessById(
            int.Parse(
                await File.ReadAllTextAsync(Path.Combine(State.Azurite, "azurite.pid")),
                System.Globalization.CultureInfo.InvariantCulture
            )
        );

        first.Kill();
        await azurite.WaitForExitAsync().WaitAsync(Patience);
        var second = Start();
        storage = new Azure.Storage.Blobs.BlobServiceClient((await HostFileOf(second)).StorageConnectionString);

        Assert.Equal(
            "kept",
            (await storage.GetBlobContainerClient("jobs").GetBlobClient("kept").DownloadContentAsync()).Value.Content.ToString()
        );
        Kill(second.Id, 15);
        Assert.Equal(0, await ExitCode(second));
    }

    [Fact]
    public async Task With_a_Service_Bus_that_the_environment_names_it_has_no_queues_of_its_own()
    {
        await using var other = await ServiceBusServer.StartAsync(
            new() { DatabasePath = folder.File("other.db"), Queues = LocalQueues.All, Keys = [new("root", "a secret of the other one")] },
            NullLogger.Instance);
        await using var client = new ServiceBusClient(other.ConnectionString("root"));
        await client.CreateSender(Queues.Uploads).SendMessageAsync(new(BinaryData.FromObjectAsJson(
            new CloudEvent("/storageAccounts/any", StorageLayout.BlobCreated, new { })
            {
                Subject = "/blobServices/default/containers/uploads/blobs/gone.zip", // whoever reads of it finds nothing to do
            })));

        var host = Start((Connections.ServiceBus, other.ConnectionString("root")));
        await HostFileOf(host);

        for (var waited = Stopwatch.StartNew(); await other.CountAsync(Queues.Uploads) != new QueueCounts(0, 0, 0, 0, 0);)
        {
            Assert.True(waited.Elapsed < Patience, "the functions app does not read the queue");
            await Task.Delay(50);
        }
        Assert.False(File.Exists(State.QueuesFile));
        Kill(host.Id, 15);
        Assert.Equal(0, await ExitCode(host));
    }

    [Theory]
    [InlineData("Unknown argument 'hots'.", "hots")]
    [InlineData("--port needs a number up to 65535, found 'x'.", "--port", "x")]
    [InlineData("--listen needs an address of this machine, as in 192.168.1.5, found 'gpubox'.", "--listen", "gpubox")]
    [InlineData("--state needs a value.", "--state")]
    [InlineData("Unknown argument '--what'.", "--what")]
    public void A_wrong_command_line_is_refused_with_the_reason(string reason, params string[] arguments) =>
        Assert.Equal(reason, Assert.Throws<FormatException>(() => LocalArguments.Parse(arguments)).Message);

    private StateFolder State => new(folder.File("state"));

    private Process Start(params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [typeof(LocalHost).Assembly.Location, "--no-worker", "--end-with-input", "--state", State.Path]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment = { ["SDXL_ROOT"] = TestPaths.Root },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine(); // a full pipe would stop the host
        started.Add(process);
        return process;
    }

    private async Task<HostFile> HostFileOf(Process host)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if (HostFile.TryRead(State.Path) is { } file && file.Pid == host.Id)
                return file;
            Assert.False(host.HasExited, "the host ended while it started");
            Assert.True(waited.Elapsed < Patience, "the host does not start");
            await Task.Delay(50);
        }
    }

    private static async Task<int> ExitCode(Process process)
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);
}
