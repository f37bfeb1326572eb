using System.Diagnostics;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Hosting;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Local.Azurite;
using Sdxl.Local.Broker;
using Sdxl.Local.Hosting;

namespace Sdxl.Tests.GpuWorker;

/// <summary>The worker as it is deployed, in a process of its own, with a real Azurite and a broker: how it comes and how it
/// leaves.</summary>
public sealed class WorkerProgramTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90); // for a busy machine; it takes a few seconds

    private readonly TempFolder folder = new();
    private AzuriteServer azurite = null!;
    private ServiceBusServer queues = null!;
    private ServiceBusClient client = null!;

    public async Task InitializeAsync()
    {
        azurite = await AzuriteServer.StartAsync(
            Path.Combine(TestPaths.Root, "tools/npm/node_modules/azurite/dist/src/blob/main.js"), folder.File("azurite"),
                NullLogger.Instance, CancellationToken.None);
        queues = await ServiceBusServer.StartAsync(
            new ServiceBusServerOptions { DatabasePath = folder.File("queues.db"), Queues = LocalQueues.All,
                Keys = [AccessKey.Create("tests")] }, NullLogger.Instance);
        client = new ServiceBusClient(queues.ConnectionString("tests"));
        await azurite.WaitUntilReadyAsync(CancellationToken.None);
        await azurite.CreateClient().GetBlobContainerClient(StorageLayout.Jobs).CreateIfNotExistsAsync();
    }

    public async Task DisposeAsync()
    {
        await client.DisposeAsync();
        await queues.DisposeAsync();
        await azurite.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Without_a_job_it_ends_by_itself_with_exit_code_0()
    {
        var (code, said) = await RunAsync(("Sdxl__ExitWhenIdleMinutes", "0.01"));

        Assert.Equal(0, code);
        Assert.Contains("this worker ends", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Told_to_take_one_job_it_leaves_the_second_for_another_worker()
    {
        await using var sender = client.CreateSender(Queues.Trainings);
        await sender.SendMessageAsync(new ServiceBusMessage("no job") { MessageId = "first" });
        await sender.SendMessageAsync(new ServiceBusMessage("no job") { MessageId = "second" });

        var (code, said) = await RunAsync(("Sdxl__ExitAfterOneJob", "true"));

        Assert.Equal(0, code);
        Assert.Contains("One job taken", said, StringComparison.Ordinal);
        await using var waiting = client.CreateReceiver(Queues.Trainings);
        await using var dead = client.CreateReceiver(Queues.Trainings, new ServiceBusReceiverOptions { SubQueue = SubQueue.DeadLetter });
        Assert.Equal("second", (await waiting.ReceiveMessageAsync(s_patience)).MessageId);
        Assert.Equal("first", (await dead.ReceiveMessageAsync(s_patience)).MessageId);
    }

    [Fact]
    public async Task In_the_state_folder_of_a_host_it_finds_how_to_reach_it_and_says_what_is_wrong_where_there_is_none()
    {
        var join = new JoinToken(azurite.ConnectionString, queues.ConnectionString("tests")).Encode();
        new HostFile(new Uri("http://127.0.0.1:1/"), azurite.ConnectionString, Environment.ProcessId, join).Write(folder.Path);
        var (code, _) = await RunAsync(connected: false, (JoinToken.StateVariable, folder.Path), ("Sdxl__ExitWhenIdleMinutes", "0.01"));
        Assert.Equal(0, code);

        var (failed, said) = await RunAsync(connected: false, (JoinToken.StateVariable, folder.File("nowhere")));
        Assert.Equal(1, failed);
        Assert.Contains("No host that others may join runs on", said, StringComparison.Ordinal);
    }

    private Task<(int Code, string Said)> RunAsync(params (string Name, string Value)[] settings) => RunAsync(connected: true, settings);

    private async Task<(int Code, string Said)> RunAsync(bool connected, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(TestPaths.Root, "gpu-worker", "bin", "Release", "net10.0", "Sdxl.GpuWorker.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (connected)
            settings = [.. settings, ("SdxlStorage", azurite.ConnectionString), ("SdxlServiceBus", queues.ConnectionString("tests"))];
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        start.Environment["Sdxl__ScratchFolder"] = folder.File("scratch");
        start.Environment["Sdxl__Device"] = "cpu";
        using var process = Process.Start(start)!;
        try
        {
            var said = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(s_patience);
            return (process.ExitCode, await said + await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
