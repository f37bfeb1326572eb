using System.Text.Json;
using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>
/// The weights of one folder of a diffusers model: one safetensors file or shards with an index, in full precision or as fp16 variant.
/// </summary>
public sealed class FolderTensors : ITensorSource, IDisposable
{
    private readonly Dictionary<string, SafetensorsFile> fileOf = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> files = [];

    private FolderTensors(string where) => Where = where;

    public string Where { get; }

    public IReadOnlyDictionary<string, long[]> Shapes => fileOf.ToDictionary(f => f.Key, f => f.Value.Entries[f.Key].Shape);

    /// <summary>
    /// Opens what lies in <paramref name="folder"/>: *.safetensors, else a sharded index, else the fp16 variant of either. The fp16 variant
    /// comes first only where the weights are held in fp16 anyway: it is half the reading; rounded twice, or to fp16 on the way to bf16,
    /// they would be other weights.
    /// </summary>
    /// <param name="held">Type that the weights will be held in; null: as they are in the file.</param>
    /// <exception cref="SafetensorsException">There is none, only a pickle, or an index that does not fit its shards.</exception>
    public static FolderTensors Open(string folder, ScalarType? held = null)
    {
        string[] found = Directory.Exists(folder)
            ? [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)]
            : [];
        bool IsHalf(string name) => name.Contains(".fp16", StringComparison.Ordinal);
        string[] indexes =
        [
            .. found.Where(f =>
                f.Contains(".safetensors.index.", StringComparison.Ordinal) && f.EndsWith(".json", StringComparison.Ordinal)
            ),
        ];
        string[] wholes =
        [
            .. found.Where(f =>
                f.EndsWith(".safetensors", StringComparison.Ordinal)
                && !f.Contains("-of-", StringComparison.Ordinal)
                && Path.GetFileNameWithoutExtension(f)
                    is "model"
                        or "model.fp16"
                        or "diffusion_pytorch_model"
                        or "diffusion_pytorch_model.fp16"
            ),
        ];
        string? Choice(bool half) => wholes.FirstOrDefault(f => IsHalf(f) == half) ?? indexes.FirstOrDefault(f => IsHalf(f) == half);
        var halfFirst = held == ScalarType.Float16;
        var choice = Choice(halfFirst) ?? Choice(!halfFirst);
        if (choice is null)
        {
            if (found.FirstOrDefault(f => Path.GetExtension(f) is ".bin" or ".pt" or ".pth" or ".ckpt") is { } pickle)
                SafetensorsHeader.RefusePickle([], Path.Combine(folder, pickle));
            throw new SafetensorsException(
                folder,
                "holds no weights. Expected model.safetensors or diffusion_pytorch_model.safetensors (or the .fp16 variant, or an index "
                    + $"of shards); found {(found.Length == 0 ? "nothing" : string.Join(", ", found))}."
            );
        }
        var path = Path.Combine(folder, choice);
        var source = new FolderTensors(path);
        try
        {
            if (choice.EndsWith(".json", StringComparison.Ordinal))
                source.AddShards(path);
            else
                source.AddWhole(path);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Opens one file whatever its name.</summary>
    public static FolderTensors OpenFile(string path)
    {
        var source = new FolderTensors(path);
        source.AddWhole(path);
        return source;
    }

    /// <summary>The type a tensor has in its file.</summary>
    public ScalarType TypeOf(string name) => SafetensorsFile.ToScalarType(fileOf[name].Entries[name].Type);

    public void CopyTo(string name, Tensor target) => fileOf[name].CopyTo(name, target);

    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
    }

    private void AddWhole(string path)
    {
        var file = SafetensorsFile.Open(path);
        files.Add(file);
        foreach (var name in file.Entries.Keys)
            fileOf.Add(name, file);
    }

    private void AddShards(string indexPath)
    {
        Dictionary<string, string> map;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(indexPath));
            map = json.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new SafetensorsException(
                indexPath,
                $"is not an index of shards: expected an object with \"weight_map\" from tensor to file. {e.Message}",
                e
            );
        }
        foreach (var shard in map.GroupBy(m => m.Value).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            if (Path.GetFileName(shard.Key) != shard.Key)
                throw new SafetensorsException(indexPath, $"names the shard '{shard.Key}', which leaves its folder.");
            var path = Path.Combine(Path.GetDirectoryName(indexPath)!, shard.Key);
            if (!File.Exists(path))
                throw new SafetensorsException(
                    indexPath,
                    $"names the shard '{shard.Key}', which is not there. Copy all shards of the model."
                );
            var file = SafetensorsFile.Open(path);
            files.Add(file);
            foreach (var (name, _) in shard)
            {
                if (!file.Entries.ContainsKey(name))
                    throw new SafetensorsException(indexPath, $"says that tensor '{name}' is in '{shard.Key}', which does not hold it.");
                fileOf.Add(name, file);
            }
        }
    }
}
