using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Retention;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Tests.Functions;

/// <summary>What is removed by time, with a moved clock; an owner of its own, so that nobody else's things are looked at.</summary>
[Collection(ProductCollection.Name)]
public sealed class SweepTests(ProductFixture product)
{
    private static readonly DateTimeOffset s_end = new(2031, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_ofRun =
    [
        "attempts/a/checkpoints/1/x", "inputs/x", "sample", "checkpoints.json", "checkpoints/a/step-000001/x", "log.txt", "metrics.jsonl",
    ];

    [Fact]
    public async Task Things_go_when_their_time_is_over_and_not_a_day_before()
    {
        var blobs = new BlobStore(product.Storage);
        var records = product.Records();
        var owner = $"sweep-{Guid.NewGuid():N}";
        var (good, failed, check) = (
            Training(owner, JobStatus.Succeeded),
            Training(owner, JobStatus.Failed),
            Training(owner, JobStatus.Succeeded) with
            {
                IsCheck = true,
            }
        );
        foreach (var training in new[] { good, failed, check })
        {
            await blobs.WriteAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key), training);
            foreach (var name in s_ofRun)
                await blobs.WriteBytesAsync(StorageLayout.Jobs, $"{training.Key}/{name}", [1], "text/plain");
            await blobs.WriteBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training.Key, "manifest.json"), [1], "text/plain");
        }
        var prediction = new PredictionRecord
        {
            Id = JobId.New(), Owner = owner, Base = "toy", Status = JobStatus.Succeeded, Input = [], CreatedAt = s_end, CompletedAt = s_end,
        };
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.PredictionRecord(prediction.Key), prediction);
        await blobs.WriteBytesAsync(StorageLayout.Predictions, StorageLayout.Drawn(prediction.Key, "out-0.png"), [1], "image/png");
        var time = new ManualTime(s_end);
        var settings = Options.Create(new SdxlOptions());
        var file = await new FileStore(blobs, records, settings, time).CreateAsync(
            owner,
            "x",
            "text/plain",
            new Dictionary<string, string>(),
            new MemoryStream([1]),
            default
        );
        var sweep = new Sweep(blobs, records, new Deletion(blobs, new VersionStore(blobs)), settings, time, NullLogger<Sweep>.Instance);

        await OnDay(6.9);
        Assert.True(
            await IsThere(StorageLayout.Jobs, $"{failed.Key}/attempts/a/checkpoints/1/x")
                && await IsThere(StorageLayout.Files, StorageLayout.File(owner, file.Id))
        );
        await OnDay(7);
        Assert.False(
            await IsThere(StorageLayout.Jobs, $"{failed.Key}/attempts/a/checkpoints/1/x")
                || await IsThere(StorageLayout.Files, StorageLayout.File(owner, file.Id))
        );
        Assert.True(
            await IsThere(StorageLayout.Jobs, $"{good.Key}/attempts/a/checkpoints/1/x")
                && await IsThere(StorageLayout.Jobs, StorageLayout.KeptList(good.Key))
                && await IsThere(StorageLayout.Jobs, $"{failed.Key}/log.txt")
        );
        await OnDay(29.9);
        Assert.True(await IsThere(StorageLayout.Predictions, StorageLayout.Drawn(prediction.Key, "out-0.png")));
        await OnDay(30);
        Assert.False(
            await IsThere(StorageLayout.Predictions, StorageLayout.Drawn(prediction.Key, "out-0.png"))
                || await IsThere(StorageLayout.Records, StorageLayout.PredictionRecord(prediction.Key))
        );
        foreach (var name in s_ofRun)
            Assert.Equal(name is "log.txt" or "metrics.jsonl", await IsThere(StorageLayout.Jobs, $"{good.Key}/{name}"));
        Assert.True(await IsThere(StorageLayout.Datasets, StorageLayout.Dataset(good.Key, "manifest.json")));
        await OnDay(90);
        foreach (var training in new[] { good, failed, check })
            Assert.False(await IsThere(StorageLayout.Datasets, StorageLayout.Dataset(training.Key, "manifest.json")));
        Assert.True((await records.TrainingAsync(good.Key))!.DataRemoved);
        Assert.True(await IsThere(StorageLayout.Jobs, $"{good.Key}/metrics.jsonl"));
        Assert.Null(await records.TrainingAsync(check.Key));

        Task<Swept> OnDay(double day)
        {
            time.Advance(s_end.AddDays(day) - time.GetUtcNow());
            return sweep.OnceAsync(default);
        }

        Task<bool> IsThere(string container, string name) => blobs.ExistsAsync(container, name);
    }

    [Fact]
    public async Task A_removal_that_was_cut_off_is_finished_by_the_next_and_one_that_is_done_changes_nothing()
    {
        var blobs = new BlobStore(product.Storage);
        var deletion = new Deletion(blobs, new VersionStore(blobs));
        var training = Training($"cut-{Guid.NewGuid():N}", JobStatus.Succeeded);
        await blobs.WriteAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key), training);
        await blobs.WriteBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training.Key, "manifest.json"), [1], "text/plain");
        await deletion.DatasetAsync(training.Key, default); // as far as it came
        await deletion.TrainingAsync(training, default);
        await deletion.TrainingAsync(training, default);
        Assert.False(await blobs.ExistsAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key)));
    }

    private static TrainingRecord Training(string owner, JobStatus status) =>
        new()
        {
            Id = JobId.New(),
            Owner = owner,
            Name = "x",
            Base = "toy",
            Source = "http",
            Status = status,
            Stage = TrainingStage.Done,
            Input = new JsonObject(),
            CreatedAt = s_end.AddHours(-1),
            CompletedAt = s_end,
        };
}
