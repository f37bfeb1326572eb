using System.Text.Json.Nodes;
using Sdxl.Core.Faults;

namespace Sdxl.EndToEnd.Tests;

/// <summary>
/// Deaths exactly between two lines (<see cref="FaultPoints"/>), each on a host of its own; the next process goes on, and the version is
/// the undisturbed one's.
/// </summary>
[Collection(SharedHostCollection.Name)]
public sealed class FaultPointTests(SharedHost shared)
{
    private const int Steps = 6;
    private static string? s_undisturbed;

    private static Dictionary<string, string> Inputs =>
        Short.Training(Steps, ("name", "fault"), ("sample_prompts", "a photo of TOK"), ("sample_every_steps", "3"));

    [Theory]
    [InlineData(FaultPoints.BeforeMessage)]
    [InlineData(FaultPoints.AfterMessage)]
    [InlineData(FaultPoints.BetweenCheckpointBlobs)]
    [InlineData(FaultPoints.AfterUploadBeforeResult)]
    [InlineData(FaultPoints.AfterResultBeforeEvent)]
    [InlineData(FaultPoints.AfterEventBeforeComplete)]
    [InlineData(FaultPoints.MiddleOfPublish)]
    [InlineData(FaultPoints.AfterPublishBeforeRecord)]
    public async Task A_process_that_dies_there_is_followed_by_one_that_ends_with_the_same_version(string point)
    {
        var expected = await UndisturbedAsync();
        await using var host = new LocalHostProcess();
        var once = Path.Combine(host.State, "died");
        await host.StartAsync((FaultPoints.Variable, $"{point}:kill:{once}"));

        var id = await StartAsync(host);
        var training = await host.EndOfTrainingAsync(id);

        Assert.True(File.Exists(once), $"Nothing came by {point}.");
        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{host.Output}");
        Assert.Equal(expected, Short.Version(training));
        var logs = training["logs"]!.GetValue<string>();
        // Done is done: once its end is written, nothing is trained again.
        if (point is FaultPoints.AfterResultBeforeEvent or FaultPoints.AfterEventBeforeComplete)
            AssertOnce("Training on ");
        AssertOnce("Waiting for a GPU worker.");
        AssertOnce("Published ");
        await NothingIsLeftAsync(host, id);

        void AssertOnce(string text) =>
            Assert.True(
                System.Text.RegularExpressions.Regex.Count(logs, text) == 1,
                $"Not once '{text}' in the log:\n{logs}\n{host.Output}"
            );
    }

    /// <summary>Its caller got no answer; its record is there, and so it is trained.</summary>
    [Fact]
    public async Task A_training_whose_request_dies_between_its_record_and_its_start_is_started_and_ends_with_the_same_version()
    {
        var expected = await UndisturbedAsync();
        await using var host = new LocalHostProcess();
        var once = Path.Combine(host.State, "died");
        await host.StartAsync(
            (FaultPoints.Variable, $"{FaultPoints.AfterRecordBeforeStart}:kill:{once}"),
            ("Sdxl__HeartbeatCheckSeconds", "5")
        );
        try
        {
            using var answer = await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Inputs);
            Assert.False(answer.IsSuccessStatusCode, $"Nothing came by {FaultPoints.AfterRecordBeforeStart}.");
        }
        catch (HttpRequestException)
        {
            // The process that was to answer is dead.
        }

        var training = await host.EndOfTrainingAsync(await host.TrainingOfAsync("fault"));

        Assert.True(File.Exists(once), $"Nothing came by {FaultPoints.AfterRecordBeforeStart}.");
        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{host.Output}");
        Assert.Equal(expected, Short.Version(training));
        // One that began by itself is not begun again when its time comes.
        var next = await host.EndOfTrainingAsync(await StartAsync(host));
        Assert.Equal(expected, Short.Version(next));
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(next["logs"]!.GetValue<string>(), "Unpacked gizmo.zip"));
    }

    [Fact]
    public async Task A_worker_whose_GPU_is_lost_leaves_and_its_successor_goes_on_to_the_same_version()
    {
        var expected = await UndisturbedAsync();
        await using var host = new LocalHostProcess();
        await host.StartAsync((FaultPoints.Variable, $"{FaultPoints.TrainingStep}:cuda:{Path.Combine(host.State, "lost")}"));

        var training = await host.EndOfTrainingAsync(await StartAsync(host));

        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{host.Output}");
        Assert.Equal(expected, Short.Version(training));
        Assert.True(host.HasPrinted("ended with code 70"), host.Output);
    }

    [Fact]
    public async Task A_full_disk_is_one_sentence_or_room_is_made_and_the_training_ends_well()
    {
        var expected = await UndisturbedAsync();
        await using var host = new LocalHostProcess();
        await host.StartAsync((FaultPoints.Variable, $"{FaultPoints.TrainingStep}:disk:{Path.Combine(host.State, "full")}"));
        Assert.Equal(expected, Short.Version(await host.EndOfTrainingAsync(await StartAsync(host))));
    }

    [Fact]
    public async Task A_disk_that_stays_full_fails_the_training_with_one_sentence()
    {
        await using var host = new LocalHostProcess();
        await host.StartAsync((FaultPoints.Variable, $"{FaultPoints.TrainingStep}:disk"));
        var training = await host.EndOfTrainingAsync(await StartAsync(host));
        Assert.Equal("failed", training["status"]!.GetValue<string>());
        Assert.StartsWith("The GPU worker's disk is full: ", training["error"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_stands_still_for_longer_than_its_lock_spoils_nothing_of_its_successors()
    {
        var expected = await UndisturbedAsync();
        await using var host = new LocalHostProcess();
        var stopped = Path.Combine(host.State, "stopped");
        await host.StartAsync((FaultPoints.Variable, $"{FaultPoints.AfterUploadBeforeResult}:stop:{stopped}"));
        var id = await StartAsync(host);
        await host.EventuallyAsync<object>(
            () => Task.FromResult<object?>(File.Exists(stopped) ? stopped : null),
            TimeSpan.FromSeconds(120),
            "the worker's standstill"
        );
        var zombie = host.WorkerProcesses().Single();
        using var second = host.StartAnotherWorker();

        var training = await host.EndOfTrainingAsync(id);
        LocalHostProcess.Signal(zombie, "CONT");

        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{host.Output}");
        Assert.Equal(expected, Short.Version(training));
        // The zombie wakes, finds the end that stands, and goes on with other jobs.
        second.Kill();
        var next = await host.EndOfTrainingAsync(await StartAsync(host));
        Assert.Equal(expected, Short.Version(next));
        Assert.Equal(expected, Short.Version(await host.GetAsync(host.TrainingPath(id))));
    }

    private async Task<string> UndisturbedAsync()
    {
        if (s_undisturbed is not null)
            return s_undisturbed;
        var training = await shared.Host.EndOfTrainingAsync(await StartAsync(shared.Host));
        Assert.True(training["status"]!.GetValue<string>() == "succeeded", $"{training.ToJsonString()}\n{shared.Host.Output}");
        return s_undisturbed = Short.Version(training);
    }

    private static async Task<string> StartAsync(LocalHostProcess host)
    {
        var answer = await host.PostAsync(Short.Dataset("gizmo.zip"), "gizmo.zip", Inputs);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }

    /// <summary>No place of a delivery stays, only what people read. They go after the record has said that the training is over.</summary>
    private static async Task NothingIsLeftAsync(LocalHostProcess host, string id)
    {
        var left = "";
        await host.EventuallyAsync(
            async () =>
            {
                left = "";
                await foreach (
                    var blob in host
                        .Blobs.GetBlobContainerClient("jobs")
                        .GetBlobsAsync(
                            Azure.Storage.Blobs.Models.BlobTraits.None,
                            Azure.Storage.Blobs.Models.BlobStates.None,
                            $"me/{id}/attempts/",
                            CancellationToken.None
                        )
                )
                    left = blob.Name;
                return left.Length == 0 ? "nothing" : null;
            },
            TimeSpan.FromSeconds(60), "the places of deliveries to go", () => $"{left} is left over.");
    }
}
