using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;

namespace Sdxl.EndToEnd.Tests;

/// <summary>kill -9 of host and worker at several moments, each on a host of its own, and cancel in each stage.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class CrashTests(SharedHost shared)
{
    private const int Steps = 90;
    private const int CancelSeconds = 10; // that a cancel takes at most, whatever goes on

    private static Dictionary<string, string> Inputs => Short.Training(Steps, ("name", "crash"), ("checkpointing_steps", "10"));

    [Theory]
    [InlineData("unpack")]
    [InlineData("prepare")]
    [InlineData("train")]
    public async Task A_host_killed_in_any_stage_goes_on_after_a_restart_and_ends_with_the_same_version(string stage)
    {
        var expected = await UninterruptedVersionAsync();
        await using var host = new LocalHostProcess();
        await host.StartAsync();
        var id = await StartAsync(host);
        var seen = await host.UntilAsync(id, t => Order(t) >= Order(stage), $"stage {stage}");
        Assert.Equal("processing", seen["status"]!.GetValue<string>()); // Else the kill would come too late to prove anything.

        await host.KillAsync();
        await host.StartAsync();

        Assert.Equal(expected, Short.Version(await SucceededAsync(host, id)));
    }

    [Theory]
    [InlineData(1)] // before the first checkpoint
    [InlineData(30)]
    public async Task A_worker_killed_in_the_middle_of_training_is_followed_by_one_that_resumes_to_the_same_bits(int step)
    {
        var expected = await UninterruptedVersionAsync();
        await using var host = new LocalHostProcess();
        await host.StartAsync();
        var id = await StartAsync(host);
        await host.UntilAsync(id, t => t["progress"]?["step"]?.GetValue<int>() >= step, $"step {step}");

        host.KillWorker();

        var training = await SucceededAsync(host, id);
        Assert.Equal(2, System.Text.RegularExpressions.Regex.Count(training["logs"]!.GetValue<string>(), "Training on "));
        if (step > 20) // Two checkpoints further on.
            Assert.Contains("going on from the checkpoint at step", training["logs"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(expected, Short.Version(training));
    }

    [Fact]
    public async Task A_worker_killed_while_a_version_is_trained_further_is_followed_by_one_that_resumes_to_the_same_bits()
    {
        await using var host = new LocalHostProcess();
        await host.StartAsync();
        var first = await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Short.Training(6, ("name", "crash-further")));
        var parent = Short.Version(await SucceededAsync(host, await IdAsync(first)));
        var expected = Short.Version(await SucceededAsync(host, await FurtherAsync()));
        var id = await FurtherAsync();
        await host.UntilAsync(id, t => t["progress"]?["step"]?.GetValue<int>() >= 30, "step 30");

        host.KillWorker();

        var training = await SucceededAsync(host, id);
        Assert.Contains("going on from the checkpoint at step", training["logs"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(expected, Short.Version(training));

        async Task<string> FurtherAsync()
        {
            var body = new JsonObject
            {
                ["from"] = parent,
                ["input"] = new JsonObject { ["max_train_steps"] = Steps, ["checkpointing_steps"] = 10 },
            };
            return await IdAsync(
                await host.Http.PostAsync(
                    "v1/trainings",
                    new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json")
                )
            );
        }
    }

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
            t => Order(t) >= Order(stage) && (stage != "train" || t["progress"]?["step"]?.GetValue<int>() > 0),
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
        await host.UntilAsync(id, t => Order(t) >= Order("publish"), "stage publish");

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

    [Fact]
    public void What_runs_are_the_programs_that_are_deployed()
    {
        Assert.Single(shared.Host.Children("Sdxl.Functions.dll"));
        Assert.Single(shared.Host.Children("Sdxl.GpuWorker.dll"));
    }

    [Fact]
    public async Task The_apps_own_middleware_runs_around_its_functions()
    {
        var answer = await shared.Host.Http.GetAsync("v1/trainings");
        Assert.Matches("^[0-9a-f-]{36}$", Assert.Single(answer.Headers.GetValues("x-sdxl-invocation")));
    }

    private static string? _uninterrupted;

    private async Task<string> UninterruptedVersionAsync() =>
        _uninterrupted ??= Short.Version(await SucceededAsync(shared.Host, await StartAsync(shared.Host)));

    private static async Task<string> StartAsync(LocalHostProcess host) =>
        await IdAsync(await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Inputs));

    private static async Task<string> IdAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();

    private static async Task<JsonObject> SucceededAsync(LocalHostProcess host, string id)
    {
        var training = await host.EndOfTrainingAsync(id);
        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{host.Output}");
        return training;
    }

    private static int Order(JsonObject training) =>
        training["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled"
            ? int.MaxValue
            : Order(training["stage"]!.GetValue<string>());

    private static int Order(string stage) => Array.IndexOf(["queued", "unpack", "prepare", "manifest", "train", "publish", "done"], stage);
}
