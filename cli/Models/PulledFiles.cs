using System.Text.Json;
using Sdxl.Core.Json;

namespace Sdxl.Cli.Models;

/// <summary>models/.pulled.json: which files were verified, so that 20 GB are not hashed again to find that they are there.</summary>
internal sealed class PulledFiles
{
    private const string FileName = ".pulled.json";
    private readonly string folder;
    private readonly Dictionary<string, Verified> files;

    /// <param name="Bytes">Length when it was verified; with the time, what tells that it is still that file.</param>
    /// <param name="WrittenUtcTicks">Its last write.</param>
    private sealed record Verified(string Hash, long Bytes, long WrittenUtcTicks);

    private PulledFiles(string folder, Dictionary<string, Verified> files)
    {
        this.folder = folder;
        this.files = files;
    }

    public static PulledFiles Read(string modelsFolder)
    {
        try
        {
            return new PulledFiles(modelsFolder, SdxlJson.Deserialize<Dictionary<string, Verified>>(File.ReadAllText(Path.Combine(modelsFolder, FileName))));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return new PulledFiles(modelsFolder, []); // verified again, at worst
        }
    }

    public bool Has(string path, string? expectedHash)
    {
        var info = new FileInfo(Path.Combine(folder, path));
        return info.Exists && files.TryGetValue(path, out var known) && known.Bytes == info.Length && known.WrittenUtcTicks == info.LastWriteTimeUtc.Ticks
            && (expectedHash is null || known.Hash == expectedHash.ToLowerInvariant());
    }

    public void Add(string path, string hash)
    {
        var info = new FileInfo(Path.Combine(folder, path));
        files[path] = new Verified(hash, info.Length, info.LastWriteTimeUtc.Ticks);
        var target = Path.Combine(folder, FileName);
        File.WriteAllText(target + ".part", JsonSerializer.Serialize(files, SdxlJson.Indented));
        File.Move(target + ".part", target, overwrite: true);
    }
}
