using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;

namespace Sdxl.Tests.Functions;

/// <summary>How far a drawing is, from the worker's event to the API's answer.</summary>
[Collection(ProductCollection.Name)]
public sealed class PredictionProgressTests(ProductFixture product)
{
    [Fact]
    public async Task The_API_shows_it_while_a_worker_draws()
    {
        using var created = await product.PostAsync("v1/predictions", new JsonObject { ["base"] = "toy", ["input"] = new JsonObject { ["prompt"] = "x" } });
        var id = JsonNode.Parse(await created.Content.ReadAsStringAsync())!["id"]!.ToString();
        Assert.Null((await UntilAsync(id, p => p["status"]!.ToString() == "processing"))["progress"]);

        await SendAsync(new JobProgressed(new JobKey("me", id), 1, DateTimeOffset.UtcNow, 12, 50, null, 2.5, 15.2, "cpu"));
        var shown = (await UntilAsync(id, p => p["progress"] is not null))["progress"]!;
        Assert.Equal((12, 50, 2.5, 15.2, "cpu"), (shown["step"]!.GetValue<int>(), shown["total_steps"]!.GetValue<int>(), shown["steps_per_second"]!.GetValue<double>(), shown["seconds_left"]!.GetValue<double>(), shown["device"]!.ToString()));

        await SendAsync(new PredictionCompleted(new JobKey("me", id), 1, DateTimeOffset.UtcNow, [], 20));
        Assert.Null((await UntilAsync(id, p => p["status"]!.ToString() == "succeeded"))["progress"]);
    }

    private async Task SendAsync(WorkerEvent happened)
    {
        await using var sender = product.ServiceBus.CreateSender(Queues.WorkerEvents);
        await sender.SendMessageAsync(new ServiceBusMessage(SdxlJson.Serialize(happened)));
    }

    private async Task<JsonNode> UntilAsync(string id, Func<JsonNode, bool> reached)
    {
        for (var waited = 0; waited < 600; waited++)
        {
            if (JsonNode.Parse(await product.Http.GetStringAsync($"v1/predictions/{id}"))! is var prediction && reached(prediction))
                return prediction;
            await Task.Delay(50);
        }
        throw new TimeoutException($"Prediction {id} did not get there within 30 s: {await product.Http.GetStringAsync($"v1/predictions/{id}")}");
    }
}
