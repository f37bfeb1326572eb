using System.Security.Cryptography;
using System.Text;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// The weights that people keep of a running training, in storage: files below the delivery's own place, then their line in the list, which
/// is what makes them exist. Whoever has lost the turn changes the list no more.
/// </summary>
public sealed class KeptCheckpoints(JobBlobs blobs, JobTurns turns, JobTurns.Held held)
{
    private readonly string _list = StorageLayout.KeptList(held.Job), _folder = StorageLayout.KeptFolder(held.Job);

    /// <summary>The training begins at a step: what is kept of later ones is void, and so is what no list tells of.</summary>
    public async Task BeginAsync(int step, CancellationToken cancel)
    {
        if (await ChangeAsync(list => list.RemoveAll(kept => kept.Step > step) > 0, cancel) is not { } known)
            return;
        foreach (var blob in await blobs.ListAsync(StorageLayout.Jobs, _folder, cancel))
        {
            if (!known.Exists(kept => blob.StartsWith(_folder + kept.Place, StringComparison.Ordinal)))
                await blobs.DeleteAsync(StorageLayout.Jobs, blob, cancel);
        }
    }

    /// <summary>Stores a folder of files, unless that step's are stored already, and removes it here.</summary>
    public async Task StoreAsync(string folder, int step, CancellationToken cancel)
    {
        try
        {
            if (!(await ReadAsync(cancel)).List.Exists(kept => kept.Step == step))
            {
                var place = FormattableString.Invariant($"{held.Place}/step-{step:D6}/");
                var files = new List<VersionFile>();
                foreach (var file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
                {
                    var name = Path.GetFileName(file);
                    await using (var content = File.OpenRead(file))
                        files.Add(
                            new VersionFile(name, content.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel))));
                    await blobs.UploadFileAsync(StorageLayout.Jobs, StorageLayout.Kept(held.Job, place, name), file, cancel);
                }
                var entry = new KeptCheckpoint(step, place, files);
                await ChangeAsync(
                    list =>
                    {
                        if (list.Exists(kept => kept.Step == step))
                            return false;
                        list.Add(entry);
                        return true;
                    },
                    cancel
                );
            }
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // The trainer went back to an earlier step meanwhile and has removed it: it is void.
        }
    }

    /// <param name="change">false: the list is as it should be.</param>
    /// <returns>The list as it is then; null: the turn is another's.</returns>
    private async Task<List<KeptCheckpoint>?> ChangeAsync(Func<List<KeptCheckpoint>, bool> change, CancellationToken cancel)
    {
        while (true)
        {
            var (list, tag) = await ReadAsync(cancel);
            if (!await turns.IsStillAsync(held, cancel))
                return null;
            if (!change(list))
                return list;
            list.Sort((one, other) => one.Step.CompareTo(other.Step));
            var bytes = Encoding.UTF8.GetBytes(SdxlJson.Serialize(list));
            if (await blobs.TryUploadAsync(StorageLayout.Jobs, _list, bytes, tag, cancel))
                return list;
        }
    }

    private async Task<(List<KeptCheckpoint> List, Azure.ETag? Tag)> ReadAsync(CancellationToken cancel) =>
        await blobs.ReadTaggedAsync(StorageLayout.Jobs, _list, cancel) is var (content, tag)
            ? (SdxlJson.Deserialize<List<KeptCheckpoint>>(content.ToString()), tag)
            : ([], null);
}
