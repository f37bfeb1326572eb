using System.Text.Json.Nodes;

namespace Sdxl.EndToEnd.Tests;

/// <summary>kill -9 of host and worker at several moments, each on a host of its own.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class CrashTests(SharedHost shared)
{
    private const int Steps = 90;

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
        var seen = await host.UntilAsync(id, t => Short.Order(t) >= Short.Order(stage), $"stage {stage}");
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
}
