using System.Text;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Messages;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace Sdxl.Tests.GpuWorker;

/// <summary>What keeps a worker that lost its lock from spoiling anything of its successor's.</summary>
[Collection(StorageCollection.Name)]
public sealed class TurnTests(StorageFixture storage) : IDisposable
{
    private readonly JobKey _job = new("me", JobId.New());
    private readonly JobTurns _turns = new(new JobBlobs(storage.Service), TimeProvider.System);
    private readonly TempFolder _folder = new();

    private JobBlobs Blobs => new(storage.Service);

    private TrainingJob Training =>
        new(_job, 1, "toy", "me/x", TrainingInputs.Read([], BaseManifest.Load(TestPaths.Models, "toy"), _job.Id));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_later_delivery_takes_the_turn_and_the_one_before_finds_that_out()
    {
        var first = await TakeAsync(1);
        Assert.True(await _turns.IsStillAsync(first, CancellationToken.None));

        var second = await TakeAsync(1);

        Assert.False(await _turns.IsStillAsync(first, CancellationToken.None));
        Assert.True(await _turns.IsStillAsync(second, CancellationToken.None));
        Assert.Equal((1, 2), (first.Turn!.Number, second.Turn!.Number));
        Assert.True(string.CompareOrdinal(second.Place, first.Place) > 0);
    }

    [Fact]
    public async Task The_message_of_an_earlier_attempt_is_left_over()
    {
        await TakeAsync(2);
        Assert.Null(await _turns.TakeAsync(_job, 1, CancellationToken.None));
    }

    [Fact]
    public async Task Of_many_that_take_it_at_once_each_gets_a_number_of_its_own_and_one_holds_it()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TakeAsync(1)));
        Assert.Equal(Enumerable.Range(1, 8), all.Select(held => held.Turn!.Number).Order());
        foreach (var held in all)
            Assert.Equal(held.Turn!.Number == 8, await _turns.IsStillAsync(held, CancellationToken.None));
    }

    [Fact]
    public async Task The_first_end_that_is_written_stands()
    {
        var (results, place) = (new JobResults(new JobBlobs(storage.Service)), (StorageLayout.Jobs, StorageLayout.Result(_job)));
        Assert.Null(await results.ReadAsync(place, CancellationToken.None));
        WorkerEvent first = new JobFailed(_job, 1, DateTimeOffset.UnixEpoch, "first"),
            second = new JobCanceled(_job, 1, DateTimeOffset.UnixEpoch);

        Assert.Equal(first, await results.WriteOnceAsync(place, first, CancellationToken.None));
        Assert.Equal(first, await results.WriteOnceAsync(place, second, CancellationToken.None));
        Assert.Equal(first, await results.ReadAsync(place, CancellationToken.None));
    }

    [Fact]
    public async Task The_log_of_two_deliveries_reads_in_order_and_one_that_lost_the_turn_is_silent()
    {
        var first = Journal(await TakeAsync(1));
        await first.LogAsync(["one", "two"], CancellationToken.None);
        var second = Journal(await TakeAsync(1));
        await second.LogAsync(["three"], CancellationToken.None);

        await first.LogAsync(["of a zombie"], CancellationToken.None);
        await second.LogAsync(["four"], CancellationToken.None);

        Assert.Equal("one\ntwo\nthree\nfour\n", await storage.TextAsync(StorageLayout.Jobs, StorageLayout.WorkerLog(_job)));
    }

    [Fact]
    public async Task A_last_word_of_the_one_before_does_not_stop_the_one_that_has_the_turn()
    {
        var first = Journal(await TakeAsync(1));
        await first.LogAsync(["one"], CancellationToken.None);
        var second = Journal(await TakeAsync(1));
        await second.LogAsync(["two"], CancellationToken.None);
        // As if it had been under way when the turn was taken: nobody asked whose turn it was.
        await Blobs.Appended(StorageLayout.Jobs, StorageLayout.WorkerLog(_job)).AppendAsync("late\n"u8.ToArray(), CancellationToken.None);

        await second.LogAsync(["three"], CancellationToken.None);

        Assert.Equal("one\ntwo\nlate\nthree\n", await storage.TextAsync(StorageLayout.Jobs, StorageLayout.WorkerLog(_job)));
    }

    [Fact]
    public async Task Numbers_grow_line_by_line_and_are_cut_back_with_the_file_where_a_training_goes_back()
    {
        var journal = Journal(await TakeAsync(1));
        var file = Path.Combine(_folder.Path, StorageLayout.MetricsFile);
        await File.WriteAllTextAsync(file, "{\"step\":1}\n{\"step\":2}\n{\"st"); // the last line is being written
        await journal.BeginAsync(0, CancellationToken.None);
        Assert.Equal("{\"step\":1}\n{\"step\":2}\n", await storage.TextAsync(StorageLayout.Jobs, StorageLayout.Metrics(_job)));

        await File.AppendAllTextAsync(file, "ep\":3}\n");
        await journal.MetricsAsync(CancellationToken.None);
        Assert.Equal(
            "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n",
            await storage.TextAsync(StorageLayout.Jobs, StorageLayout.Metrics(_job))
        );

        await File.WriteAllTextAsync(file, "{\"step\":1}\n");
        await journal.BeginAsync(1, CancellationToken.None);
        Assert.Equal("{\"step\":1}\n", await storage.TextAsync(StorageLayout.Jobs, StorageLayout.Metrics(_job)));
    }

    [Fact]
    public async Task Samples_are_shown_one_by_one_and_those_of_steps_that_are_done_again_go()
    {
        var journal = Journal(await TakeAsync(1));
        await journal.SampleAsync(Picture("step-000000-0.png"), "a", 0, CancellationToken.None);
        await journal.SampleAsync(Picture("step-000004-1.png"), "b", 4, CancellationToken.None);
        await journal.SampleAsync(Picture("step-000004-0.png"), "a", 4, CancellationToken.None);
        Assert.Equal([(0, 0, "a"), (4, 0, "a"), (4, 1, "b")], (await SamplesAsync()).Select(s => (s.Step, s.Index, s.Prompt)));
        Assert.All(await SamplesAsync(), s => Assert.Equal(Training.Inputs.Seed, s.Seed));

        await Journal(await TakeAsync(1)).BeginAsync(2, CancellationToken.None); // another worker, from the checkpoint at step 2

        var left = Assert.Single(await SamplesAsync());
        using var small = Image.Load(
            await Blobs.ReadAsync(StorageLayout.Jobs, StorageLayout.Sample(_job, left.Thumbnail), CancellationToken.None) is { } bytes
                ? bytes.ToArray()
                : []
        );
        Assert.Equal((320, 160), (small.Width, small.Height));
    }

    [Fact]
    public async Task The_newest_checkpoint_is_the_latest_deliverys_though_a_zombie_is_further()
    {
        var (first, second) = (await TakeAsync(1), await TakeAsync(1));
        var (mirror, zombie) = (Mirror(second, "b"), Mirror(first, "a"));
        await zombie.StoreAsync(Checkpoint("a", 10), CancellationToken.None);
        await mirror.StoreAsync(Checkpoint("b", 20), CancellationToken.None);
        await zombie.StoreAsync(Checkpoint("a", 90), CancellationToken.None);

        var target = Path.Combine(_folder.Path, "c");
        await Mirror(await TakeAsync(1), "c").FetchNewestAsync(CancellationToken.None);

        Assert.Equal("b 20", await File.ReadAllTextAsync(Path.Combine(target, "checkpoints", "step-00000020", "state")));
    }

    [Fact]
    public async Task Two_checkpoints_are_kept_in_all_and_those_of_an_abandoned_end_are_dropped()
    {
        var first = Mirror(await TakeAsync(1), "a");
        foreach (var step in new[] { 10, 20, 30 })
            await first.StoreAsync(Checkpoint("a", step), CancellationToken.None);
        var second = Mirror(await TakeAsync(1), "b");
        await second.StoreAsync(Checkpoint("b", 40), CancellationToken.None);
        Assert.Equal(["step-00000030", "step-00000040"], await StoredAsync());

        await second.StoreAsync(Checkpoint("b", 50), CancellationToken.None);
        await second.StoreAsync(Checkpoint("b", 35), CancellationToken.None); // it went back to 30

        Assert.Equal(["step-00000035"], await StoredAsync());
    }

    private async Task<List<string>> StoredAsync() =>
        [
            .. (await storage.NamesAsync(StorageLayout.Jobs, StorageLayout.Attempts(_job)))
                .Where(n => n.EndsWith(".list.json", StringComparison.Ordinal))
                .Select(n => n.Split('/')[^1][..^".list.json".Length]),
        ];

    private async Task<JobTurns.Held> TakeAsync(int attempt) => (await _turns.TakeAsync(_job, attempt, CancellationToken.None))!;

    private TrainingJournal Journal(JobTurns.Held held) => new(Blobs, _turns, held, Training, _folder.Path);

    private CheckpointMirror Mirror(JobTurns.Held held, string machine)
    {
        var work = Path.Combine(_folder.Path, machine);
        return new CheckpointMirror(Blobs, held, work, Directory.CreateDirectory(Path.Combine(work, "checkpoints")).FullName);
    }

    private string Checkpoint(string machine, int step)
    {
        var folder = Directory
            .CreateDirectory(Path.Combine(_folder.Path, machine, "checkpoints", FormattableString.Invariant($"step-{step:D8}")))
            .FullName;
        File.WriteAllText(Path.Combine(folder, "state"), FormattableString.Invariant($"{machine} {step}"));
        return folder;
    }

    private string Picture(string name)
    {
        var file = Path.Combine(_folder.Path, name);
        using var image = new Image<Rgb24>(512, 256);
        image.SaveAsPng(file);
        return file;
    }

    private async Task<List<TrainingSample>> SamplesAsync() =>
        SdxlJson.Deserialize<List<TrainingSample>>(await storage.TextAsync(StorageLayout.Jobs, StorageLayout.SampleList(_job)));
}
