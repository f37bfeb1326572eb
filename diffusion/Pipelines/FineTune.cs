using System.Text.Json;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// What a training left: a LoRA or whole nets, the new tokens' rows, and what the trigger words stand for. Opened in place (a tar is not
/// unpacked); nets are read when they are applied.
/// </summary>
public sealed class FineTune : IDisposable
{
    /// <summary>PEFT's configuration, which holds the alpha that its weights lack.</summary>
    private const string AdapterConfigName = "adapter_config.json";

    private FineTune(string source) => Source = source;

    /// <summary>The folder or file it came from.</summary>
    public string Source { get; }

    /// <summary>The trigger words and the tokens each stands for: TOK, "&lt;s0&gt;&lt;s1&gt;".</summary>
    public IReadOnlyDictionary<string, string> SpecialParams { get; private set; } = new Dictionary<string, string>();

    /// <summary>Rows of the new tokens &lt;s0&gt;, &lt;s1&gt;, … for each encoder, [N, D] fp32; null without.</summary>
    public Tensor? Rows1 { get; private set; }

    /// <inheritdoc cref="Rows1"/>
    public Tensor? Rows2 { get; private set; }

    /// <summary>The schedule it was trained under; null: the base model's.</summary>
    /// <exception cref="SafetensorsException">The file names one that does not exist.</exception>
    public TrainedSchedule? Schedule => (UNet ?? Lora ?? Checkpoint) is { } weights ? TrainedSchedule.Read(weights) : null;

    /// <summary>
    /// Trigger words that the weights' header names (modelspec.trigger_phrase) and no file here holds vectors for: prompts can use them
    /// only as plain words.
    /// </summary>
    public IReadOnlyList<string> WordsWithoutVectors =>
        (Lora ?? Checkpoint)?.Metadata.TryGetValue(Export.TrainingExport.TriggerKey, out var words) == true
            ?
            [
                .. words
                    .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Where(w => !SpecialParams.Keys.Contains(w, StringComparer.OrdinalIgnoreCase)),
            ]
            : [];

    internal SafetensorsFile? Lora { get; private set; }

    /// <summary>The text of adapter_config.json beside the LoRA; null without.</summary>
    internal string? LoraConfig { get; private set; }

    /// <summary>U-Net weights under diffusers' names.</summary>
    internal SafetensorsFile? UNet { get; private set; }

    /// <summary>A single-file checkpoint (sgm names).</summary>
    internal SafetensorsFile? Checkpoint { get; private set; }

    /// <summary>
    /// Opens a folder, a tar or a single .safetensors file; what each file is, is told by its content. With Replicate's file names those
    /// are taken; a folder with a trained_model.tar is that tar. Else one LoRA (in any known format), U-Net or single-file checkpoint, and
    /// any number of A1111/ComfyUI embeddings, each of which is named by its file: TOK.safetensors is what TOK stands for. Embeddings
    /// bundled into a LoRA's file count too.
    /// </summary>
    /// <exception cref="SafetensorsException">A file in it is corrupt or a pickle.</exception>
    /// <exception cref="InvalidDataException">There is nothing to apply, or more than one of what can be applied once.</exception>
    public static FineTune Load(string path)
    {
        if (Directory.Exists(path))
        {
            return File.Exists(Path.Combine(path, TrainedModelTar.FileName))
                ? Load(Path.Combine(path, TrainedModelTar.FileName))
                : Build(
                    path,
                    Directory
                        .GetFiles(path)
                        .ToDictionary(f => Path.GetFileName(f), f => new FineTunePart(f, 0, new FileInfo(f).Length), StringComparer.Ordinal)
                );
        }
        if (!File.Exists(path))
            throw new FileNotFoundException(
                $"There is no fine-tune at '{path}'. Expected a folder, a {TrainedModelTar.FileName}, or a .safetensors file with a LoRA, "
                    + "an embedding or a checkpoint.",
                path
            );
        if (IsGzip(path))
            throw new InvalidDataException(
                $"Fine-tune '{path}' is compressed by gzip. Unpack it (gunzip): weights are read in place and hardly shrink."
            );
        if (TrainedModelTar.IsTar(path))
            return Build(
                path,
                TrainedModelTar
                    .Places(path)
                    .ToDictionary(p => p.Key, p => new FineTunePart(path, p.Value.Offset, p.Value.Length), StringComparer.Ordinal)
            );
        var parts = new Dictionary<string, FineTunePart>(StringComparer.Ordinal)
        {
            [Path.GetFileName(path)] = new(path, 0, new FileInfo(path).Length),
        };
        // PEFT's two files belong together even where only the weights are named.
        if (
            Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, AdapterConfigName) is var config
            && Path.GetFileName(path).StartsWith("adapter_model", StringComparison.Ordinal)
            && File.Exists(config)
        )
            parts[AdapterConfigName] = new(config, 0, new FileInfo(config).Length);
        return Build(path, parts, single: true);
    }

    public void Dispose()
    {
        Lora?.Dispose();
        UNet?.Dispose();
        Checkpoint?.Dispose();
        Rows1?.Dispose();
        Rows2?.Dispose();
    }

    /// <param name="single">One file whatever its name: it must be something to apply.</param>
    private static FineTune Build(string source, IReadOnlyDictionary<string, FineTunePart> parts, bool single = false)
    {
        var tune = new FineTune(source);
        try
        {
            if (single || !tune.TakeReplicates(parts))
                tune.TakeByContent(parts, single);
            if (tune is { Lora: null, UNet: null, Checkpoint: null, Rows1: null })
            {
                foreach (var name in parts.Keys)
                    SafetensorsHeader.RefusePickle([], Path.Combine(source, name));
                throw new InvalidDataException(
                    $"Fine-tune '{source}' holds nothing to apply: neither {TrainedModelTar.LoraName}, {TrainedModelTar.UNetName} and "
                        + $"{TrainedModelTar.EmbeddingsName} nor another .safetensors file with a LoRA, "
                        + "an embedding or a checkpoint. Found: "
                        + $"{(parts.Count == 0 ? "nothing" : string.Join(", ", parts.Keys.Order(StringComparer.Ordinal).Take(8)))}."
                );
            }
            return tune;
        }
        catch
        {
            tune.Dispose();
            throw;
        }
    }

    /// <summary>The cog triple. Replicate's rule: a U-Net beside a LoRA wins.</summary>
    private bool TakeReplicates(IReadOnlyDictionary<string, FineTunePart> parts)
    {
        if (!parts.Keys.Any(name => name is TrainedModelTar.LoraName or TrainedModelTar.UNetName or TrainedModelTar.EmbeddingsName))
            return false;
        if (parts.TryGetValue(TrainedModelTar.UNetName, out var unet))
            UNet = unet.Open();
        else if (parts.TryGetValue(TrainedModelTar.LoraName, out var lora))
            Lora = lora.Open();
        if (parts.TryGetValue(TrainedModelTar.EmbeddingsName, out var embeddings))
        {
            using var file = embeddings.Open();
            UseRows([EmbeddingFile.Read(file)]);
        }
        else if (Lora is not null)
        {
            UseWords(WordsIn(Lora, TrainedModelTar.LoraName));
        }
        if (parts.TryGetValue(TrainedModelTar.SpecialParamsName, out var special))
            SpecialParams = Checked(Special(special.ReadAll()));
        return true;
    }

    private void TakeByContent(IReadOnlyDictionary<string, FineTunePart> parts, bool single)
    {
        var taken = new Dictionary<WeightsKind, string>();
        var words = new List<(string Word, Tensor Rows1, Tensor Rows2)>();
        foreach (
            var (name, part) in parts
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Where(p => p.Key != AdapterConfigName && (single || p.Key.EndsWith(".safetensors", StringComparison.Ordinal)))
        )
        {
            var (file, kind) = OpenKnown(part);
            if (kind == WeightsKind.Embedding)
            {
                using (file)
                    words.AddRange(WordsIn(file, name));
                continue;
            }
            // One training leaves its LoRA in several formats: they are the same change.
            if (taken.TryGetValue(kind, out var other) && kind == WeightsKind.Lora && Stem(other) == Stem(name))
            {
                file.Dispose();
                continue;
            }
            if (taken.Count > 0)
            {
                file.Dispose();
                throw new InvalidDataException(
                    $"Fine-tune '{Source}' holds both '{taken.Values.First()}' and '{name}', and one is applied at a time. Give one of "
                        + "them."
                );
            }
            taken[kind] = name;
            (Lora, UNet, Checkpoint) = kind switch
            {
                WeightsKind.Lora => (file, UNet, Checkpoint),
                WeightsKind.UNet => (Lora, file, Checkpoint),
                _ => (Lora, UNet, file),
            };
        }
        if (Lora is not null)
            words.AddRange(WordsIn(Lora, taken[WeightsKind.Lora]));
        if (Lora is not null && parts.TryGetValue(AdapterConfigName, out var config))
            LoraConfig = System.Text.Encoding.UTF8.GetString(config.ReadAll());
        UseWords(words);
    }

    /// <summary>
    /// The embeddings in a file: bundled ones have their words with them; rows of the file's own (an embedding's, or those that
    /// ai-toolkit puts beside a LoRA it trained together with them) are named by the file.
    /// </summary>
    private static IEnumerable<(string Word, Tensor Rows1, Tensor Rows2)> WordsIn(SafetensorsFile file, string name)
    {
        var bundled = EmbeddingFile.ReadBundled(file);
        if (!file.Entries.Keys.Any(EmbeddingFile.IsPlainRow))
            return bundled;
        var (rows1, rows2) = EmbeddingFile.Read(file);
        return bundled.Append((WordOf(name), rows1, rows2));
    }

    private void UseWords(IEnumerable<(string Word, Tensor Rows1, Tensor Rows2)> found)
    {
        var (words, rows, count) = (new Dictionary<string, string>(StringComparer.Ordinal), new List<(Tensor, Tensor)>(), 0);
        foreach (var (word, rows1, rows2) in found)
        {
            if (!words.TryAdd(word, TrainedModelTar.TokensOf((int)rows1.shape[0], count)))
                throw new InvalidDataException($"Fine-tune '{Source}' holds two embeddings called '{word}'. Give one of them.");
            rows.Add((rows1, rows2));
            count += (int)rows1.shape[0];
        }
        UseRows(rows);
        SpecialParams = Checked(words);
    }

    private static (SafetensorsFile File, WeightsKind Kind) OpenKnown(FineTunePart part)
    {
        var file = part.Open();
        try
        {
            return (file, WeightsKinds.Of(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Rows of several words, one below the other.</summary>
    private void UseRows(IReadOnlyList<(Tensor, Tensor)> all)
    {
        if (all.Count == 0)
            return;
        if (all.Any(r => r.Item1.shape[1] != all[0].Item1.shape[1] || r.Item2.shape[1] != all[0].Item2.shape[1]))
            throw new InvalidDataException(
                $"Fine-tune '{Source}' holds embeddings of different widths; they were trained on different base models."
            );
        using var guard = no_grad();
        Rows1 = cat([.. all.Select(r => r.Item1)], 0).DetachFromDisposeScope();
        Rows2 = cat([.. all.Select(r => r.Item2)], 0).DetachFromDisposeScope();
        foreach (var (one, two) in all)
        {
            one.Dispose();
            two.Dispose();
        }
    }

    /// <summary>Trigger words are found in any case: of two that differ in that alone, the second could never be named.</summary>
    private Dictionary<string, string> Checked(Dictionary<string, string> words)
    {
        if (words.Keys.Any(string.IsNullOrWhiteSpace))
            throw new InvalidDataException(
                $"Fine-tune '{Source}' has an empty trigger word. Give it one, for example TOK, in {TrainedModelTar.SpecialParamsName} or "
                    + "as the embedding's file name."
            );
        if (words.Keys.GroupBy(w => w.Trim(), StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new InvalidDataException(
                $"Fine-tune '{Source}' has the trigger words {string.Join(" and ", same.Select(w => $"'{w}'"))}, which are one word in a "
                    + "prompt. Rename one."
            );
        return words;
    }

    private Dictionary<string, string> Special(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"Fine-tune '{Source}': {TrainedModelTar.SpecialParamsName} is not an object of texts such as {{\"TOK\": \"<s0><s1>\"}}: "
                    + $"{e.Message}",
                e
            );
        }
    }

    private static bool IsGzip(string path)
    {
        using var stream = File.OpenRead(path);
        return stream.ReadByte() == 0x1F && stream.ReadByte() == 0x8B && stream.ReadByte() == 8;
    }

    /// <summary>The word that an embedding's file name stands for, as A1111 and ComfyUI take it.</summary>
    private static string WordOf(string name)
    {
        var word = Path.GetFileNameWithoutExtension(name);
        return word.EndsWith(TrainingExport.EmbeddingSuffix, StringComparison.Ordinal)
            ? word[..^TrainingExport.EmbeddingSuffix.Length]
            : word;
    }

    private static string Stem(string name) =>
        Path.GetFileNameWithoutExtension(name)
            .Replace("-kohya", "", StringComparison.Ordinal)
            .Replace("-peft", "", StringComparison.Ordinal);
}

/// <summary>A file by itself or inside a tar.</summary>
internal sealed record FineTunePart(string Path, long Offset, long Length)
{
    public SafetensorsFile Open() => SafetensorsFile.Open(Path, Offset, Length);

    public byte[] ReadAll()
    {
        using var stream = File.OpenRead(Path);
        stream.Position = Offset;
        var bytes = new byte[Math.Min(Length, stream.Length - Offset)];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
