using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;
using Sdxl.Local.Broker;

namespace Sdxl.Tests.GpuWorker;

/// <summary>How far a drawing is, from the sampler's step to storage and queue.</summary>
public sealed class PredictionReportTests : IAsyncLifetime
{
    private static readonly JobKey s_key = new("me", "p");

    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly MemoryBlobs _memory = new();
    private ServiceBusServer _queues = null!;
    private ServiceBusClient _client = null!;

    public async Task InitializeAsync()
    {
        _queues = await ServiceBusServer.StartAsync(
            new ServiceBusServerOptions
            {
                DatabasePath = _folder.File("queues.db"),
                Queues = [new QueueSettings(Queues.WorkerEvents)],
                Keys = [AccessKey.Create("tests")],
            },
            NullLogger.Instance
        );
        _client = new ServiceBusClient(_queues.ConnectionString("tests"));
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _queues.DisposeAsync();
        _memory.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Steps_count_over_all_pictures_each_percent_is_a_line_and_each_picture_is_told_when_it_is_stored()
    {
        await using var events = new EventSender(_client);
        var report = Report(events, new JsonObject { ["num_outputs"] = 2, ["seed"] = 7, ["prompt"] = "a photo of\nTOK" });
        report.Begin("a photo of\n<s0><s1>");
        for (var picture = 0; picture < 2; picture++)
        {
            for (var step = 1; step <= 10; step++)
            {
                _time.Advance(TimeSpan.FromSeconds(0.25));
                report.Report(new GenerationProgress(picture, 2, step, 10));
            }
            report.Drawn(new GeneratedPicture(picture, 7 + picture, new byte[3], 1, 1, picture == 1));
        }
        report.Complete();
        await report.StoreAllAsync();
        await report.StoreStateAsync();

        var state = State();
        Assert.Equal((20, 20, 4.0, 0.0, "cpu"), (state.Step, state.TotalSteps, state.StepsPerSecond, state.SecondsLeft, state.Device));
        Assert.Equal([new DrawnPicture("out-0.png", 7, false, "out-0.webp"), new DrawnPicture("out-1.png", 8, true)], state.Pictures);
        var lines = state.Logs.TrimEnd('\n').Split('\n');
        Assert.Equal(["Using seed: 7", "Prompt: a photo of <s0><s1>", "txt2img mode"], lines[..3]);
        Assert.Equal(20, lines.Length - 3);
        Assert.Equal("  5%|          | 1/20 [00:00<?, ?it/s]", lines[3]);
        Assert.Equal(" 50%|#####     | 10/20 [00:02<00:02, 4.00it/s]", lines[12]);
        Assert.Equal("100%|##########| 20/20 [00:04<00:00, 4.00it/s]", lines[^1]);
        Assert.Contains($"{StorageLayout.Predictions}/me/p/out-1.png", _memory.Names);
        Assert.Contains($"{StorageLayout.Predictions}/me/p/out-0.webp", _memory.Names);
        Assert.DoesNotContain($"{StorageLayout.Predictions}/me/p/out-1.webp", _memory.Names); // nobody is shown a flagged one
        Assert.Equal(["DrawingStarted", "PictureDrawn out-0.png"], await ToldAsync());
    }

    [Fact]
    public async Task A_long_drawing_has_a_line_for_each_percent_and_no_more()
    {
        await using var events = new EventSender(_client);
        var report = Report(events, []);
        report.Begin("x");
        for (var step = 1; step <= 500; step++)
            report.Report(new GenerationProgress(0, 1, step, 500));
        report.Complete();
        await report.StoreAllAsync();
        await report.StoreStateAsync();

        Assert.Equal(3 + 101, State().Logs.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public async Task Who_wants_to_hear_of_the_log_is_told_once_a_second()
    {
        await using var events = new EventSender(_client);
        var report = Report(events, [], tellsLogs: true);
        var storing = report.StoreAllAsync();
        for (var step = 1; step <= 10; step++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            report.Report(new GenerationProgress(0, 1, step, 50));
        }
        report.Complete();
        await storing;

        Assert.Equal(["DrawingStarted", .. Enumerable.Repeat("DrawingLogged", 5)], await ToldAsync());
    }

    private PredictionReport Report(EventSender events, JsonObject inputs, bool tellsLogs = false)
    {
        var toy = BaseManifest.Load(TestPaths.Models, "toy");
        var job = new PredictionJob(s_key, "toy", null, PredictionInputs.Read(inputs, toy, JobId.New()), tellsLogs);
        return new PredictionReport(job, "cpu", 1, new JobBlobs(_memory.Client()), events, _time);
    }

    private DrawingState State() =>
        SdxlJson.Deserialize<DrawingState>(_memory.Text($"{StorageLayout.Jobs}/{StorageLayout.Drawing(s_key)}"));

    private async Task<IReadOnlyList<string>> ToldAsync()
    {
        await using var receiver = _client.CreateReceiver(Queues.WorkerEvents);
        var told = new List<string>();
        for (var from = 0L; await receiver.PeekMessageAsync(from) is { } message; from = message.SequenceNumber + 1)
        {
            var happened = SdxlJson.Deserialize<WorkerEvent>(message.Body.ToString());
            Assert.Equal(s_key, happened.Job);
            told.Add(
                happened is PictureDrawn drawn
                    ? $"{nameof(PictureDrawn)} {string.Join(' ', drawn.Pictures.Select(p => p.File))}"
                    : happened.GetType().Name
            );
        }
        return told;
    }
}
