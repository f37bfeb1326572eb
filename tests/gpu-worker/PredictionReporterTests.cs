using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Jobs;
using Sdxl.Local.Broker;

namespace Sdxl.Tests.GpuWorker;

/// <summary>How far a drawing is, from the sampler's step to the queue.</summary>
public sealed class PredictionReporterTests
{
    [Fact]
    public async Task Steps_count_over_all_pictures_and_are_told_once_a_second()
    {
        var time = new ManualTime();
        var toy = BaseManifest.Load(TestPaths.Models, "toy");
        var reporter = new PredictionReporter(new PredictionJob(new JobKey("me", "p"), "toy", null, PredictionInputs.Read([], toy, JobId.New())), "cpu", 1, time);
        using var folder = new TempFolder();
        await using var queues = await ServiceBusServer.StartAsync(
            new ServiceBusServerOptions { DatabasePath = folder.File("queues.db"), Queues = [new QueueSettings(Queues.WorkerEvents)], Keys = [AccessKey.Create("tests")] }, NullLogger.Instance);
        await using var client = new ServiceBusClient(queues.ConnectionString("tests"));
        await using var events = new EventSender(client);
        for (var (picture, step) = (0, 1); picture < 2; (picture, step) = step == 10 ? (picture + 1, 1) : (picture, step + 1))
        {
            time.Advance(TimeSpan.FromSeconds(0.25));
            reporter.Report(new GenerationProgress(picture, 2, step, 10));
        }
        reporter.Complete();
        await reporter.SendAllAsync(events);

        // Nothing was sent meanwhile, so only the newest is left: told at steps 1, 5, 9, 13, 17.
        await using var receiver = client.CreateReceiver(Queues.WorkerEvents);
        var message = await receiver.ReceiveMessageAsync(TimeSpan.FromSeconds(30));
        var last = Assert.IsType<JobProgressed>(SdxlJson.Deserialize<WorkerEvent>(message.Body.ToString()));
        Assert.Equal((new JobKey("me", "p"), 17, 20, 4.0, 0.75), (last.Job, last.Step, last.TotalSteps, last.StepsPerSecond, last.SecondsLeft));
        Assert.Null(await receiver.ReceiveMessageAsync(TimeSpan.FromMilliseconds(200)));
    }
}
