using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Identity;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.Tests.GpuWorker;

/// <summary>Checkpoints that people keep, from folders here to a list in a real storage.</summary>
[Collection(StorageCollection.Name)]
public sealed class KeptCheckpointsTests(StorageFixture storage) : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly JobKey _job = new("me", JobId.New());
    private readonly JobTurns _turns = new(new JobBlobs(storage.Service), TimeProvider.System);
    private readonly JobBlobs _blobs = new(storage.Service);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_is_stored_with_its_hashes_listed_and_removed_here()
    {
        var (kept, turn) = await NewAsync();
        var folder = Checkpoint(10);
        await kept.StoreAsync(folder, 10, CancellationToken.None);

        var entry = Assert.Single(await ListAsync());
        Assert.Equal((10, $"{turn.Place}/step-000010/"), (entry.Step, entry.Place));
        Assert.Equal(["a.safetensors", "config.json"], entry.Files.Select(f => f.Name));
        foreach (var file in entry.Files)
        {
            var text = await storage.TextAsync(StorageLayout.Jobs, StorageLayout.Kept(_job, entry.Place, file.Name));
            Assert.Equal($"{file.Name} of 10", text);
            var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text));
            Assert.Equal((text.Length, Convert.ToHexStringLower(hash)), (file.Bytes, file.Sha256));
        }
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_step_is_stored_once_however_often_it_is_told()
    {
        var (kept, _) = await NewAsync();
        await kept.StoreAsync(Checkpoint(10), 10, CancellationToken.None);
        var (next, _) = await NewAsync(); // a later delivery
        await next.BeginAsync(10, CancellationToken.None);
        var again = Checkpoint(10);
        var before = await BlobsAsync();
        await next.StoreAsync(again, 10, CancellationToken.None);
        Assert.Equal(before, await BlobsAsync());
        Assert.False(Directory.Exists(again));
    }

    [Fact]
    public async Task A_training_that_resumes_earlier_cuts_what_was_kept_of_later_steps_and_what_no_list_tells_of()
    {
        var (kept, turn) = await NewAsync();
        foreach (var step in new[] { 10, 5, 15 })
            await kept.StoreAsync(Checkpoint(step), step, CancellationToken.None);
        Assert.Equal([5, 10, 15], (await ListAsync()).Select(k => k.Step));
        await storage.WriteAsync(StorageLayout.Jobs, StorageLayout.Kept(_job, $"{turn.Place}/step-000020/", "half.safetensors"));

        var (next, _) = await NewAsync();
        await next.BeginAsync(10, CancellationToken.None);

        Assert.Equal([5, 10], (await ListAsync()).Select(k => k.Step));
        Assert.All(await BlobsAsync(), name => Assert.Matches("/step-0000(05|10)/", name));
        Assert.Equal(4, (await BlobsAsync()).Count);
    }

    [Fact]
    public async Task A_worker_that_has_lost_the_turn_lists_nothing_and_cuts_nothing()
    {
        var (late, _) = await NewAsync();
        await late.StoreAsync(Checkpoint(5), 5, CancellationToken.None);
        var (next, _) = await NewAsync();
        await next.StoreAsync(Checkpoint(10), 10, CancellationToken.None);

        await late.StoreAsync(Checkpoint(15), 15, CancellationToken.None);
        await late.BeginAsync(0, CancellationToken.None);

        Assert.Equal([5, 10], (await ListAsync()).Select(k => k.Step));
    }

    [Fact]
    public async Task A_folder_that_went_meanwhile_is_void()
    {
        var (kept, _) = await NewAsync();
        await kept.StoreAsync(_folder.File("gone"), 10, CancellationToken.None);
        Assert.Empty(await storage.NamesAsync(StorageLayout.Jobs, StorageLayout.KeptList(_job)));
    }

    [Fact]
    public async Task All_that_is_kept_and_the_newest_checkpoint_to_resume_from_are_stored_before_a_training_is_left()
    {
        var (kept, turn) = await NewAsync();
        var work = Directory.CreateDirectory(_folder.File("work")).FullName;
        var local = Directory.CreateDirectory(Path.Combine(work, "checkpoints")).FullName;
        var mirror = new CheckpointMirror(_blobs, turn, work, local);
        var patience = new Patience(TimeProvider.System, NullLogger<Patience>.Instance);
        var uploads = new CheckpointUploads(mirror, kept, patience, NullLogger.Instance, _job.Id, CancellationToken.None);

        uploads.BeginKept(0);
        foreach (var step in new[] { 5, 10, 15 })
        {
            uploads.AddKept(Checkpoint(step), step);
            uploads.Add(Directory.CreateDirectory(Path.Combine(local, $"step-{step}")).FullName);
            await File.WriteAllTextAsync(Path.Combine(local, $"step-{step}", "state"), "x");
        }
        uploads.AddKept(_folder.File("gone"), 17);
        await uploads.FinishAsync();

        Assert.Equal([5, 10, 15], (await ListAsync()).Select(k => k.Step));
        Assert.Contains(
            await storage.NamesAsync(StorageLayout.Jobs, StorageLayout.Attempts(_job)),
            name => name.EndsWith("/step-15.list.json", StringComparison.Ordinal)
        );
    }

    private async Task<(KeptCheckpoints Kept, JobTurns.Held Turn)> NewAsync()
    {
        var turn = (await _turns.TakeAsync(_job, 1, CancellationToken.None))!;
        return (new KeptCheckpoints(_blobs, _turns, turn), turn);
    }

    private string Checkpoint(int step)
    {
        var folder = Directory.CreateDirectory(_folder.File($"step-{step}")).FullName;
        foreach (var name in new[] { "config.json", "a.safetensors" })
            File.WriteAllText(Path.Combine(folder, name), $"{name} of {step}");
        return folder;
    }

    private async Task<List<KeptCheckpoint>> ListAsync() =>
        SdxlJson.Deserialize<List<KeptCheckpoint>>(await storage.TextAsync(StorageLayout.Jobs, StorageLayout.KeptList(_job)));

    private Task<List<string>> BlobsAsync() => storage.NamesAsync(StorageLayout.Jobs, StorageLayout.KeptFolder(_job));
}
