using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sdxl.Core.Messages;
using Sdxl.EndToEnd.Tests;
using Sdxl.Tests;
using Xunit.Abstractions;

namespace Sdxl.Campaign.Tests;

/// <summary>
/// Seeded random schedules of kills, standstills, doubled messages and cancels against whole trainings. The short form plays the seeds
/// below in every test run; SDXL_CAMPAIGN=N plays N further ones, SDXL_CAMPAIGN_SEED=S begins with that seed: a failing schedule names its
/// seed, and is played again with it. output/campaign.txt grows by a line a schedule, output/campaign-SEED.txt says what failed.
/// </summary>
public sealed class CampaignTests(ITestOutputHelper output)
{
    private const int Steps = 20;

    /// <summary>Played always, chosen so that each kind of blow comes; and those that found a fault once.</summary>
    private static readonly int[] s_always =
    [
        3,
        1001, // the numbers of a worker that was killed before its first checkpoint were cut in the middle of a line
    ];

    private static readonly string[] s_left =
    [
        "log.txt", "worker-log.txt", "progress.json", "metrics.jsonl", "samples.json", "turn.json", "result.json", "cancel", "stop", "sample",
    ];

    private const string Model = "campaign";

    private static readonly string s_output = Directory.CreateDirectory(Path.Combine(TestPaths.Root, "output")).FullName;

    [Fact]
    public async Task Whatever_happens_each_training_ends_once_with_the_undisturbed_bytes_and_leaves_nothing_behind()
    {
        var ring = new Ring();
        try
        {
            var expected = await UndisturbedAsync(ring);
            var failures = new List<string>();
            foreach (var schedule in Seeds().Select(Schedule.Of))
            {
                var watch = Stopwatch.StartNew();
                try
                {
                    await CheckAsync(ring, schedule, expected);
                    Tell($"{schedule}: holds, {watch.Elapsed.TotalSeconds:F0} s");
                }
                catch (Exception e)
                {
                    Tell($"{schedule}: FAILS, {watch.Elapsed.TotalSeconds:F0} s");
                    failures.Add($"{schedule}\nPlay it again with SDXL_CAMPAIGN_SEED={schedule.Seed}.\n{e}\n{ring.Host.Output}");
                    await File.WriteAllTextAsync(Path.Combine(s_output, $"campaign-{schedule.Seed}.txt"), failures[^1]);
                    await ring.DisposeAsync(); // what is left over is no later schedule's fault
                    ring = new Ring();
                    Assert.Equal(expected, await UndisturbedAsync(ring));
                }
            }
            Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        }
        finally
        {
            await ring.DisposeAsync();
        }
    }

    /// <summary>Starts the ring.</summary>
    /// <returns>The version that a training has whom nobody disturbs.</returns>
    private static async Task<string> UndisturbedAsync(Ring ring)
    {
        await ring.StartAsync();
        var training = await ring.Host.EndOfTrainingAsync(await ring.StartTrainingAsync(Model, Steps));
        Assert.Equal("succeeded", training["status"]!.GetValue<string>());
        return Short.Version(training);
    }

    private void Tell(FormattableString line)
    {
        var text = FormattableString.Invariant(line);
        output.WriteLine(text);
        File.AppendAllText(Path.Combine(s_output, "campaign.txt"), text + "\n");
    }

    private static IEnumerable<int> Seeds()
    {
        var count = Number("SDXL_CAMPAIGN");
        var first = Number("SDXL_CAMPAIGN_SEED");
        return first is null && count is null ? s_always : Enumerable.Range(first ?? 1000, count ?? 1);
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;

    private static async Task CheckAsync(Ring ring, Schedule schedule, string expected)
    {
        // The model's name stands in the files: equal bytes need the same one, and so the version before must go first.
        using var removed = await ring.Host.Http.DeleteAsync($"v1/models/me/{Model}");
        Assert.True(
            removed.IsSuccessStatusCode || removed.StatusCode == System.Net.HttpStatusCode.NotFound,
            $"DELETE of the model answered {(int)removed.StatusCode}."
        );
        Assert.Empty(await ring.BlobsAsync("models", $"me/{Model}/versions/"));

        var name = Model;
        var (training, drawn) = await ring.PlayAsync(schedule, name, Steps);
        Assert.All(drawn, picture => Assert.True(picture["status"]!.GetValue<string>() == "succeeded", picture.ToJsonString()));
        var (id, status) = (training["id"]!.GetValue<string>(), training["status"]!.GetValue<string>());
        Assert.True(status == "succeeded" || (status == "canceled" && schedule.Cancels), training.ToJsonString());

        // Exactly one version or none, its bytes the undisturbed run's: the id is the hash of all hashes, which the blobs must have, too.
        var versions = (await ring.BlobsAsync("models", $"me/{name}/versions/")).Select(blob => blob.Split('/')[0]).Distinct().ToList();
        Assert.Equal(status == "succeeded" ? [IdOf(expected)] : [], versions);
        if (status == "succeeded")
        {
            Assert.Equal(IdOf(expected), IdOf(Short.Version(training)));
            await BytesAreRightAsync(ring, name, versions[0]);
            StepsAreInOrder(await TextAsync(ring, $"me/{id}/metrics.jsonl"));
        }
        Assert.Equal(
            status == "succeeded" ? 1 : 0,
            System.Text.RegularExpressions.Regex.Count(training["logs"]!.GetValue<string>(), "Published ")
        );

        foreach (var queue in new[] { Queues.Trainings, Queues.Predictions, Queues.WorkerEvents, Queues.Uploads })
            await ring.Host.EventuallyAsync<object>(
                async () => await ring.MessagesAsync(queue) == 0 ? "" : null,
                TimeSpan.FromSeconds(60),
                $"queue {queue} to be empty"
            );
        // What a worker wrote that woke up after the end lies below attempts/, which retention sweeps; all else has a name that people
        // read.
        Assert.All(
            (await ring.BlobsAsync("jobs", $"me/{id}/")).Where(blob =>
                !blob.StartsWith("samples/", StringComparison.Ordinal) && !blob.StartsWith("attempts/", StringComparison.Ordinal)
            ),
            blob => Assert.Contains(blob, s_left)
        );
    }

    private static string IdOf(string version) => version[(version.LastIndexOf(':') + 1)..];

    private static async Task BytesAreRightAsync(Ring ring, string name, string version)
    {
        var models = ring.Host.Blobs.GetBlobContainerClient("models");
        var manifest = (
            await models.GetBlobClient($"me/{name}/versions/{version}/manifest.json").DownloadContentAsync()
        ).Value.Content.ToArray();
        Assert.Equal(version, Convert.ToHexStringLower(SHA256.HashData(manifest)));
        foreach (var file in JsonNode.Parse(manifest)!["files"]!.AsArray())
        {
            var bytes = (
                await models.GetBlobClient($"me/{name}/versions/{version}/{file!["name"]!.GetValue<string>()}").DownloadContentAsync()
            ).Value.Content.ToArray();
            Assert.Equal(file["sha256"]!.GetValue<string>(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
    }

    private static void StepsAreInOrder(string metrics) =>
        Assert.Equal(
            Enumerable.Range(1, Steps),
            metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!["step"]!.GetValue<int>())
        );

    private static async Task<string> TextAsync(Ring ring, string name) =>
        (await ring.Host.Blobs.GetBlobContainerClient("jobs").GetBlobClient(name).DownloadContentAsync()).Value.Content.ToString();
}
