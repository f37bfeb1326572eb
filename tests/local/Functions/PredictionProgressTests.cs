using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Diffusion.Pipelines;
using Sdxl.GpuWorker.Jobs;
using Sdxl.Local.Broker;

namespace Sdxl.Local.Tests.Functions;

/// <summary>How far a drawing is, from the sampler's step to the API's answer.</summary>
[Collection(ProductCollection.Name)]
public sealed class PredictionProgressTests(ProductFixture product)
{
    [Fact]
    public async Task Steps_count_over_all_pictures_and_are_told_once_a_second()
    {
        var time = new ManualTime();
        var toy = Core.Bases.BaseManifest.Load(product.Models, "toy");
        var reporter = new PredictionReporter(new PredictionJob("p", "toy", null, PredictionInputs.Read([], toy, JobId.New())), "cpu", 1, time);
        using var folder = new TempFolder();
        using var broker = new BrokerFile(folder.File("broker.db"), time);
        broker.Declare(new QueueSettings(Queues.WorkerEvents));
        await using var client = new LocalServiceBusClient(broker);
        await using var events = new EventSender(client);
        for (var (picture, step) = (0, 1); picture < 2; (picture, step) = step == 10 ? (picture + 1, 1) : (picture, step + 1))
        {
            time.Advance(TimeSpan.FromSeconds(0.25));
            reporter.Report(new GenerationProgress(picture, 2, step, 10));
        }
        reporter.Complete();
        await reporter.SendAllAsync(events);

        // Nothing was sent meanwhile, so only the newest is left: told at steps 1, 5, 9, 13, 17.
        var message = await client.CreateReceiver(Queues.WorkerEvents).ReceiveMessageAsync(TimeSpan.Zero);
        var last = Assert.IsType<JobProgressed>(SdxlJson.Deserialize<WorkerEvent>(message.Body.ToString()));
        Assert.Equal(("p", 17, 20, 4.0, 0.75), (last.JobId, last.Step, last.TotalSteps, last.StepsPerSecond, last.SecondsLeft));
        Assert.Null(await client.CreateReceiver(Queues.WorkerEvents).ReceiveMessageAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task The_API_shows_it_while_a_worker_draws()
    {
        using var created = await product.PostAsync("api/predictions", new JsonObject { ["base"] = "toy", ["input"] = new JsonObject { ["prompt"] = "x" } });
        var id = JsonNode.Parse(await created.Content.ReadAsStringAsync())!["id"]!.ToString();
        Assert.Null((await UntilAsync(id, p => p["status"]!.ToString() == "processing"))["progress"]);

        await SendAsync(new JobProgressed(id, 1, DateTimeOffset.UtcNow, 12, 50, null, 2.5, 15.2, "cpu"));
        var shown = (await UntilAsync(id, p => p["progress"] is not null))["progress"]!;
        Assert.Equal((12, 50, 2.5, 15.2, "cpu"), (shown["step"]!.GetValue<int>(), shown["total_steps"]!.GetValue<int>(), shown["steps_per_second"]!.GetValue<double>(), shown["seconds_left"]!.GetValue<double>(), shown["device"]!.ToString()));

        await SendAsync(new PredictionCompleted(id, 1, DateTimeOffset.UtcNow, [], 20));
        Assert.Null((await UntilAsync(id, p => p["status"]!.ToString() == "succeeded"))["progress"]);
    }

    private async Task SendAsync(WorkerEvent happened)
    {
        await using var events = new EventSender((ServiceBusClient)product.Services.GetService(typeof(ServiceBusClient))!);
        await events.SendAsync(happened, CancellationToken.None);
    }

    private async Task<JsonNode> UntilAsync(string id, Func<JsonNode, bool> reached)
    {
        for (var waited = 0; waited < 600; waited++)
        {
            if (JsonNode.Parse(await product.Http.GetStringAsync($"api/predictions/{id}"))! is var prediction && reached(prediction))
                return prediction;
            await Task.Delay(50);
        }
        throw new TimeoutException($"Prediction {id} did not get there within 30 s: {await product.Http.GetStringAsync($"api/predictions/{id}")}");
    }
}
