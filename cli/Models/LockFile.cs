using System.Text.Json;
using Sdxl.Core.Bases;
using Sdxl.Core.Json;

namespace Sdxl.Cli.Models;

/// <summary>
/// models/NAME.lock: what was pulled and what it hashed to. A hash that the manifest does not know is taken from the server once and kept
/// here, so that every later pull is verified against it; and 11 GB are not hashed again only to find that they are there.
/// </summary>
internal sealed class LockFile
{
    private readonly string modelsFolder;
    private readonly string path;
    private readonly Dictionary<string, Entry> files;

    /// <param name="Hash">SHA-256, or git's SHA-1 of a small file: what the server named.</param>
    /// <param name="Bytes">Length when it was verified; with the time, what tells that it is still that file.</param>
    /// <param name="WrittenUtcTicks">Its last write.</param>
    private sealed record Entry(string Repository, string Revision, string File, string Hash, long Bytes, long WrittenUtcTicks);

    private LockFile(string modelsFolder, string path, Dictionary<string, Entry> files) =>
        (this.modelsFolder, this.path, this.files) = (modelsFolder, path, files);

    /// <exception cref="CliException">The file is there and cannot be read: going on without it would trust the server anew.</exception>
    public static LockFile Read(string modelsFolder, string baseModel)
    {
        var path = Path.Combine(modelsFolder, baseModel + ".lock");
        try
        {
            return new LockFile(
                modelsFolder,
                path,
                File.Exists(path) ? SdxlJson.Deserialize<Dictionary<string, Entry>>(File.ReadAllText(path)) : []
            );
        }
        catch (JsonException e)
        {
            throw new CliException(
                $"{path} cannot be read ({e.Message.TrimEnd('.')}). Restore it, or delete it to take the hashes that the manifest does not "
                    + "know from the server again.",
                e
            );
        }
    }

    /// <summary>What the file must hash to: the manifest's word, else what was verified before; null: not known yet.</summary>
    public ContentHash? Expected(BaseFile file) =>
        file.Sha256 is { } known ? new ContentHash(known) : Find(file) is { } entry ? new ContentHash(entry.Hash) : null;

    /// <summary>Whether the file lies there as it was verified.</summary>
    public bool Has(BaseFile file)
    {
        var info = new FileInfo(Path.Combine(modelsFolder, file.Path));
        return info.Exists && Find(file) is { } entry && entry.Bytes == info.Length && entry.WrittenUtcTicks == info.LastWriteTimeUtc.Ticks
            && (file.Sha256 is null || entry.Hash == file.Sha256);
    }

    public void Add(BaseFile file, ContentHash hash)
    {
        var info = new FileInfo(Path.Combine(modelsFolder, file.Path));
        files[file.Path] = new Entry(file.Repository, file.Revision, file.File, hash.Hex, info.Length, info.LastWriteTimeUtc.Ticks);
        File.WriteAllText(
            path + ".part",
            JsonSerializer.Serialize(files.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToDictionary(), SdxlJson.Indented)
        );
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <summary>The entry, unless the manifest has come to take the file from elsewhere.</summary>
    private Entry? Find(BaseFile file) =>
        files.TryGetValue(file.Path, out var entry)
        && (entry.Repository, entry.Revision, entry.File) == (file.Repository, file.Revision, file.File)
            ? entry
            : null;
}
