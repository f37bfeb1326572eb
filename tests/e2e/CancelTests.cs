using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;

namespace Sdxl.EndToEnd.Tests;

/// <summary>Cancel in each stage.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class CancelTests(SharedHost shared)
{
    private const int CancelSeconds = 10; // that a cancel takes at most, whatever goes on

    [Theory]
    [InlineData("queued")]
    [InlineData("unpack")]
    [InlineData("prepare")]
    [InlineData("manifest")]
    [InlineData("train")]
    public async Task A_training_canceled_in_any_stage_ends_canceled_and_publishes_nothing(string stage)
    {
        var host = shared.Host;
        var answer = await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Short.Training(2000, ("name", $"cancel-{stage}")));
        var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        await host.UntilAsync(
            id,
            t => Short.Order(t) >= Short.Order(stage) && (stage != "train" || t["progress"]?["step"]?.GetValue<int>() > 0),
            $"stage {stage}"
        );

        Assert.True((await host.Http.PostAsync($"v1/trainings/{id}/cancel", null)).IsSuccessStatusCode);

        var training = await host.EndOfTrainingAsync(id, CancelSeconds);
        Assert.Equal("canceled", training["status"]!.GetValue<string>());
        Assert.Null(training["output"]);
        Assert.Null((await host.GetAsync($"v1/models/me/cancel-{stage}"))["latest_version"]);
        await host.EventuallyAsync<object>(
            async () => (await host.GetAsync("v1/workers"))["results"]!.AsArray().All(w => w!["doing"]!.ToString() == "idle") ? "" : null,
            TimeSpan.FromSeconds(CancelSeconds), "the GPU to be free");
    }

    [Fact]
    public async Task A_cancel_that_comes_while_the_version_is_published_finds_it_whole_or_not_at_all()
    {
        var host = shared.Host;
        var answer = await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Short.Training(6, ("name", "cancel-publish")));
        var id = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
        await host.UntilAsync(id, t => Short.Order(t) >= Short.Order("publish"), "stage publish");

        Assert.True((await host.Http.PostAsync($"v1/trainings/{id}/cancel", null)).IsSuccessStatusCode);

        var training = await host.EndOfTrainingAsync(id, CancelSeconds);
        var published = (await host.GetAsync("v1/models/me/cancel-publish"))["latest_version"] is not null;
        Assert.Equal(published ? "succeeded" : "canceled", training["status"]!.GetValue<string>());
        if (published)
        {
            Assert.True((await host.Http.GetAsync(training["output"]!["weights"]!.GetValue<string>())).IsSuccessStatusCode);
            return;
        }
        // Not at all: of the version no file is left. Its model stands since the training was asked for.
        var models = host.Blobs.GetBlobContainerClient("models");
        await foreach (
            var blob in models.GetBlobsAsync(BlobTraits.None, BlobStates.None, "me/cancel-publish/versions/", CancellationToken.None)
        )
            Assert.Fail($"{blob.Name} is there although the training was canceled.");
    }
}
