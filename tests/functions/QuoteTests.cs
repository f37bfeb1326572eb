using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Workers;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings;

namespace Sdxl.Tests.Functions;

/// <summary>What a training is said to take: measured where it can be, and unknown where it cannot.</summary>
public sealed class QuoteTests : IDisposable
{
    private readonly MemoryBlobs _memory = new();
    private readonly ManualTime _time = new();
    private readonly SdxlOptions _options = new() { PricePerHour = 2, Currency = "EUR" };

    public void Dispose() => _memory.Dispose();

    [Fact]
    public async Task The_trainings_of_everybody_count_and_nobody_is_named()
    {
        await WorkerAsync("training x");
        await TrainingAsync("you", 'a', JobStatus.Processing, minutes: -9, left: 60);
        await TrainingAsync("they", 'b', JobStatus.Processing, minutes: -8, left: 30);
        await TrainingAsync("they", 'c', JobStatus.Failed, minutes: -7, left: null);
        var mine = await TrainingAsync("me", 'd', JobStatus.Starting, minutes: -5, left: null);
        await TrainingAsync("you", 'e', JobStatus.Starting, minutes: -1, left: null); // later

        var quote = await QuoteAsync(mine);

        Assert.Equal((3, 90.0), (quote.QueuePlace, quote.SecondsToStart));
        Assert.DoesNotContain(
            quote.Sources.Values,
            sentence => sentence.Contains("you ", StringComparison.Ordinal) || sentence.Contains("they", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task It_starts_at_once_where_a_worker_is_idle_and_all_others_have_theirs()
    {
        await WorkerAsync("training x");
        await WorkerAsync(WorkerStatus.Idle);
        await TrainingAsync("you", 'a', JobStatus.Processing, minutes: -9, left: 60);
        Assert.Equal(0, (await QuoteAsync(null)).SecondsToStart);
    }

    [Fact]
    public async Task What_waits_with_others_that_have_not_begun_starts_nobody_knows_when()
    {
        await WorkerAsync(WorkerStatus.Idle);
        await TrainingAsync("you", 'a', JobStatus.Starting, minutes: -9, left: null);
        var quote = await QuoteAsync(null);
        Assert.Null(quote.SecondsToStart);
        Assert.Equal("The workers are busy with jobs whose end is not known.", quote.Sources["seconds_to_start"]);
    }

    [Fact]
    public async Task Time_price_and_memory_are_those_of_the_owners_trainings_of_the_same_kind()
    {
        await TrainingAsync("me", 'a', JobStatus.Succeeded, minutes: -9, left: null, speed: 2, memory: 5000);
        await TrainingAsync("me", 'b', JobStatus.Succeeded, minutes: -8, left: null, speed: 4, memory: 7000);
        // Another kind
        await TrainingAsync("me", 'c', JobStatus.Succeeded, minutes: -8, left: null, speed: 40, memory: 9000, resolution: 1024);
        await TrainingAsync("you", 'd', JobStatus.Succeeded, minutes: -8, left: null, speed: 80, memory: 9999); // another's
        var quote = await QuoteAsync(null, steps: 100);
        Assert.Equal([21.7, 57.5], quote.Seconds);
        Assert.Equal([0.0121, 0.0319], quote.Price);
        Assert.Equal(("EUR", 7000), (quote.Currency, quote.MemoryBytes));
        Assert.StartsWith(
            "The most that was in use on cpu in those of your last 20 trainings",
            quote.Sources["memory_bytes"],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_training_shows_its_quote_while_it_waits_and_not_when_its_worker_has_begun()
    {
        var waiting = await TrainingAsync("me", 'a', JobStatus.Processing, minutes: -1, left: null) with { Pictures = 5 };
        Assert.Equal(1, (await Quotes().OfWaitingAsync(waiting, null, CancellationToken.None))!.QueuePlace);
        Assert.Null(await Quotes().OfWaitingAsync(waiting with { Pictures = 0 }, null, CancellationToken.None)); // not unpacked
        Assert.Null(await Quotes().OfWaitingAsync(waiting, Progress(1, null, null), CancellationToken.None));
        Assert.Null(await Quotes().OfWaitingAsync(waiting with { Status = JobStatus.Canceled }, null, CancellationToken.None));
    }

    private Task<Quote> QuoteAsync(TrainingRecord? mine, int steps = 10) =>
        Quotes().OfAsync("me", "toy", steps, Inputs(512), mine, CancellationToken.None);

    private BlobStore Blobs() => new(_memory.Client());

    private RecordStore Records() => new(Blobs(), new NoQueues(), new RecordChanges(), _time, NullLogger<RecordStore>.Instance);

    private Quotes Quotes() => new(Records(), new TrainingQueue(Blobs(), Records(), _time), Blobs(), Options.Create(_options), _time);

    private Task WorkerAsync(string doing) => Blobs().WriteAsync(
        StorageLayout.Jobs, StorageLayout.Worker(doing.Replace(' ', '-')), new WorkerStatus("w", "cpu", doing, _time.GetUtcNow()));

    private async Task<TrainingRecord> TrainingAsync(
        string owner, char id, JobStatus status, int minutes, double? left, double? speed = null, long? memory = null, int resolution = 512)
    {
        var record = new TrainingRecord
        {
            Id = new string(id, 26),
            Owner = owner,
            Name = "cat",
            Base = "toy",
            Source = "http",
            Status = status,
            Stage = TrainingStage.Train,
            Input = JsonSerializer.SerializeToNode(Inputs(resolution), SdxlJson.Options)!.AsObject(),
            CreatedAt = _time.GetUtcNow().AddMinutes(minutes),
        };
        await Records().CreateAsync(record);
        if (left is not null || speed is not null)
            await Blobs().WriteAsync(StorageLayout.Jobs, StorageLayout.Progress(record.Key), Progress(left, speed, memory));
        return record;
    }

    private JobProgress Progress(double? left, double? speed, long? memory) =>
        new(1, 1, 2, null, speed, left, _time.GetUtcNow(), "cpu", memory);

    private static TrainingInputs Inputs(int resolution) =>
        TrainingInputs.Read(
            new JsonObject { ["resolution"] = resolution, ["train_batch_size"] = 1 },
            new BaseManifest("toy", "d", "toy", null, "toy", [], [], []),
            "a"
        );

    private sealed class NoQueues : IMessageQueues
    {
        public Task SendAsync<T>(string queue, string messageId, T body, DateTimeOffset? due = null, CancellationToken cancel = default) =>
            Task.CompletedTask;
    }
}
