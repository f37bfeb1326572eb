using System.Security.Cryptography;
using System.Text.Json;
using Sdxl.Core.Faults;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// Copies of a training's checkpoints in blob storage, so that another worker can go on. A checkpoint is complete when its list
/// (…/checkpoints/{name}.list.json, names and hashes) is there, and that is written last; the newest two are kept. Each delivery stores its
/// own in its own place; the newest are those of the latest delivery.
/// </summary>
/// <remarks>
/// The training's own record (metrics.jsonl, samples/) goes with the checkpoint: the published files tell of every step, also of those that
/// another machine did, and so their hashes, and the version id, are the same.
/// </remarks>
public sealed class CheckpointMirror(JobBlobs blobs, JobTurns.Held turn, string workFolder, string localFolder)
{
    private const string ListSuffix = ".list.json";
    private const string RunPrefix = "run/";
    private const int Keep = 2;
    private const long OneRequestBytes = 256L << 20; // the storage client's own limit

    private readonly string _attempts = StorageLayout.Attempts(turn.Job);
    private readonly string _own = StorageLayout.AttemptPrefix(turn.Job, turn.Place) + StorageLayout.CheckpointsFolder;

    /// <summary>Brings the newest whole checkpoint here, unless it is here already.</summary>
    public async Task FetchNewestAsync(CancellationToken cancel)
    {
        foreach (var stored in await StoredAsync(cancel))
        {
            var name = stored[(stored.LastIndexOf('/') + 1)..];
            var target = Path.Combine(localFolder, name);
            if (Directory.Exists(target))
                return;
            if (await blobs.ReadAsync(StorageLayout.Jobs, stored + ListSuffix, cancel) is not { } list)
                continue; // dropped meanwhile
            var files = JsonSerializer.Deserialize<List<VersionFile>>(list.ToString(), SdxlJson.Options)!;
            // What this machine knows of the run is older than that checkpoint, if it knows anything.
            var part = Path.Combine(localFolder, $".fetch-{name}");
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
            await blobs.DownloadAsync(StorageLayout.Jobs, stored + "/", part, _ => true, cancel);
            if (files.All(f => File.Exists(Path.Combine(part, f.Name)) && HashOf(Path.Combine(part, f.Name)) == f.Sha256))
            {
                TakeRunFiles(Path.Combine(part, RunPrefix));
                Directory.Move(part, target);
                return;
            }
            // Torn: the one before is used.
            Directory.Delete(part, recursive: true);
        }
    }

    /// <summary>Uploads a checkpoint folder and the run's record, the list last, and drops the oldest copies, and later ones.</summary>
    public async Task StoreAsync(string folder, CancellationToken cancel)
    {
        var name = Path.GetFileName(folder);
        var files = new List<VersionFile>();
        try
        {
            foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
            {
                files.Add(await StoreFileAsync(name, Path.GetFileName(file), file, cancel));
                FaultPoints.Hit(FaultPoints.BetweenCheckpointBlobs);
            }
            foreach (var file in RunFiles())
            {
                // The trainer goes on writing: a copy does not change while it is hashed and sent.
                var copy = Path.GetTempFileName();
                try
                {
                    File.Copy(file, copy, overwrite: true);
                    files.Add(
                        await StoreFileAsync(name, RunPrefix + Path.GetRelativePath(workFolder, file).Replace('\\', '/'), copy, cancel)
                    );
                }
                finally
                {
                    File.Delete(copy);
                }
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // The trainer keeps the newest two itself and has dropped this one meanwhile: a newer one is waiting here. Without its list
            // this copy does not count.
            return;
        }
        await blobs.UploadAsync(
            StorageLayout.Jobs,
            _own + name + ListSuffix,
            JsonSerializer.SerializeToUtf8Bytes(files, SdxlJson.Options),
            cancel
        );
        var stored = await StoredAsync(cancel);
        // Later ones of this delivery than the one just stored are of a run that was abandoned (it went back): they must not push this
        // run's own out.
        var abandoned = stored
            .Where(other => other.StartsWith(_own, StringComparison.Ordinal) && string.CompareOrdinal(other, _own + name) > 0)
            .ToList();
        foreach (var old in abandoned.Concat(stored.Except(abandoned).Skip(Keep)))
            await DropAsync(old, cancel);
    }

    private async Task DropAsync(string stored, CancellationToken cancel)
    {
        await blobs.DeleteAsync(StorageLayout.Jobs, stored + ListSuffix, cancel);
        foreach (var blob in await blobs.ListAsync(StorageLayout.Jobs, stored + "/", cancel))
            await blobs.DeleteAsync(StorageLayout.Jobs, blob, cancel);
    }

    private async Task<VersionFile> StoreFileAsync(string checkpoint, string name, string file, CancellationToken cancel)
    {
        // What goes in one request is finished: given up here, it may still arrive, when its place was removed already. What goes in blocks
        // never becomes a blob.
        var isOneRequest = new FileInfo(file).Length <= OneRequestBytes;
        cancel.ThrowIfCancellationRequested();
        await blobs.UploadFileAsync(StorageLayout.Jobs, $"{_own}{checkpoint}/{name}", file, isOneRequest ? CancellationToken.None : cancel);
        return new VersionFile(name, new FileInfo(file).Length, HashOf(file));
    }

    private IEnumerable<string> RunFiles()
    {
        var samples = Path.Combine(workFolder, "samples");
        return Directory.EnumerateFiles(workFolder).Where(f => f.EndsWith(".jsonl", StringComparison.Ordinal))
            .Concat(Directory.Exists(samples) ? Directory.EnumerateFiles(samples, "*.png", SearchOption.AllDirectories) : [])
            .Order(StringComparer.Ordinal).ToList();
    }

    private void TakeRunFiles(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(workFolder, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(file, target, overwrite: true);
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>
    /// Whole checkpoints, newest first: {…/attempts/place/checkpoints/name}. Places begin with the turn's number and names end in the step,
    /// both zero-padded, so they sort.
    /// </summary>
    private async Task<IReadOnlyList<string>> StoredAsync(CancellationToken cancel) =>
    [
        .. (await blobs.ListAsync(StorageLayout.Jobs, _attempts, cancel))
            .Where(name => name.EndsWith(ListSuffix, StringComparison.Ordinal))
            .Select(name => name[..^ListSuffix.Length])
            .OrderDescending(StringComparer.Ordinal),
    ];

    private static string HashOf(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}
