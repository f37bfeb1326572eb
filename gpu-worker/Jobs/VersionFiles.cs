using System.Security.Cryptography;
using System.Text.Json;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Versions;
using Sdxl.Diffusion.Export;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Published versions' weights on this machine. What never changes is brought once, and checked then: the version's id is the hash of its
/// manifest, which holds the hash of the weights.
/// </summary>
public sealed class VersionFiles(JobBlobs blobs, WorkerScratch scratch)
{
    /// <param name="prefix">Where the version lies in the container of models: owner/name/versions/id/.</param>
    /// <returns>Its trained_model.tar.</returns>
    /// <exception cref="FileNotFoundException">It is not in storage (any more).</exception>
    /// <exception cref="InvalidDataException">It is not what was published.</exception>
    public async Task<string> WeightsAsync(string prefix, CancellationToken cancel)
    {
        var version = prefix.TrimEnd('/');
        var id = version[(version.LastIndexOf('/') + 1)..];
        var file = Path.Combine(scratch.Use("versions", id), TrainedModelTar.FileName);
        if (File.Exists(file))
            return file;
        var expected = await HashAsync(version, id, cancel);
        var arriving = file + ".arriving";
        if (!await blobs.DownloadFileAsync(StorageLayout.Models, $"{version}/{TrainedModelTar.FileName}", arriving, cancel))
            throw NotThere(version, TrainedModelTar.FileName);
        string found;
        await using (var content = File.OpenRead(arriving))
            found = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
        if (found != expected)
        {
            File.Delete(arriving);
            throw Damaged(version, $"{TrainedModelTar.FileName} has SHA-256 {found}, expected {expected}");
        }
        File.Move(arriving, file, overwrite: true);
        return file;
    }

    private async Task<string> HashAsync(string version, string id, CancellationToken cancel)
    {
        var bytes = (await blobs.ReadAsync(StorageLayout.Models, $"{version}/{VersionManifest.FileName}", cancel))?.ToArray()
            ?? throw NotThere(version, VersionManifest.FileName);
        if (VersionManifest.IdOf(bytes) is var found && found != id)
            throw Damaged(version, $"{VersionManifest.FileName} has SHA-256 {found}, which is not the version's id");
        var files = JsonSerializer.Deserialize<VersionManifest>(bytes, SdxlJson.Options)?.Files;
        return files?.FirstOrDefault(file => file.Name == TrainedModelTar.FileName)?.Sha256
            ?? throw NotThere(version, TrainedModelTar.FileName);
    }

    private static FileNotFoundException NotThere(string version, string file) =>
        new($"Version {version} has no {file} (any more). Choose another version, or train one.");

    private static InvalidDataException Damaged(string version, string how) =>
        new($"Version {version} is not what was published: {how}. Choose another version, or bring the container "
            + $"'{StorageLayout.Models}' back from a backup.");
}
