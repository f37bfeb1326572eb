using System.Security.Cryptography;
using System.Text.Json;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// Copies of a training's checkpoints in blob storage, so that another worker can go on. A checkpoint is complete when its list
/// (…/checkpoints/{name}.list.json, names and hashes) is there, and that is written last; the newest two are kept.
/// </summary>
public sealed class CheckpointMirror(JobBlobs blobs, string jobId, string localFolder)
{
    private const string ListSuffix = ".list.json";
    private const int Keep = 2;

    private readonly string _prefix = StorageLayout.CheckpointPrefix(jobId);

    /// <summary>Brings the newest whole checkpoint here, unless a local one is as new.</summary>
    public async Task FetchNewestAsync(CancellationToken cancel)
    {
        foreach (var name in await NamesAsync(cancel))
        {
            var target = Path.Combine(localFolder, name);
            if (Directory.Exists(target))
                return;
            var list = await blobs.ReadAsync(StorageLayout.Jobs, _prefix + name + ListSuffix, cancel);
            var files = JsonSerializer.Deserialize<List<VersionFile>>(list!.ToString(), SdxlJson.Options)!;
            var part = Path.Combine(localFolder, $".fetch-{name}");
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
            await blobs.DownloadAsync(StorageLayout.Jobs, $"{_prefix}{name}/", part, _ => true, cancel);
            if (files.All(f => File.Exists(Path.Combine(part, f.Name)) && HashOf(Path.Combine(part, f.Name)) == f.Sha256))
            {
                Directory.Move(part, target);
                return;
            }
            // Torn: the one before is used.
            Directory.Delete(part, recursive: true);
        }
    }

    /// <summary>Uploads a checkpoint folder, its list last, and drops the oldest copies.</summary>
    public async Task StoreAsync(string folder, CancellationToken cancel)
    {
        var name = Path.GetFileName(folder);
        var files = new List<VersionFile>();
        foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            files.Add(new VersionFile(Path.GetFileName(file), new FileInfo(file).Length, HashOf(file)));
            await blobs.UploadFileAsync(StorageLayout.Jobs, $"{_prefix}{name}/{Path.GetFileName(file)}", file, cancel);
        }
        await blobs.UploadAsync(StorageLayout.Jobs, _prefix + name + ListSuffix, JsonSerializer.SerializeToUtf8Bytes(files, SdxlJson.Options), cancel);
        foreach (var old in (await NamesAsync(cancel)).Skip(Keep))
        {
            await blobs.DeleteAsync(StorageLayout.Jobs, _prefix + old + ListSuffix, cancel);
            foreach (var blob in await blobs.ListAsync(StorageLayout.Jobs, $"{_prefix}{old}/", cancel))
                await blobs.DeleteAsync(StorageLayout.Jobs, blob, cancel);
        }
    }

    /// <summary>Names of whole checkpoints, newest first. Names end in the step, zero-padded: they sort.</summary>
    private async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancel) =>
    [
        .. (await blobs.ListAsync(StorageLayout.Jobs, _prefix, cancel))
            .Where(name => name.EndsWith(ListSuffix, StringComparison.Ordinal))
            .Select(name => name[_prefix.Length..^ListSuffix.Length])
            .OrderDescending(StringComparer.Ordinal),
    ];

    private static string HashOf(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }
}
