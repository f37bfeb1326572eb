using System.Formats.Tar;
using System.Text.Json;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// What a training left: a LoRA or a whole U-Net, the new tokens' rows, and what the trigger word stands for. Opened in place (a tar is not unpacked);
/// the U-Net is read when it is applied.
/// </summary>
public sealed class FineTune : IDisposable
{
    private FineTune(string source, SafetensorsFile? lora, SafetensorsFile? unet, (Tensor, Tensor)? rows, IReadOnlyDictionary<string, string> specialParams)
    {
        (Source, Lora, UNet, SpecialParams) = (source, lora, unet, specialParams);
        if (rows is { } r)
            (Rows1, Rows2) = (r.Item1, r.Item2);
    }

    /// <summary>The folder or file it came from.</summary>
    public string Source { get; }

    /// <summary>The trigger word and the tokens it stands for: TOK, "&lt;s0&gt;&lt;s1&gt;".</summary>
    public IReadOnlyDictionary<string, string> SpecialParams { get; }

    /// <summary>Rows of the new tokens &lt;s0&gt;, &lt;s1&gt;, … for each encoder, [N, D] fp32; null without.</summary>
    public Tensor? Rows1 { get; }

    /// <inheritdoc cref="Rows1"/>
    public Tensor? Rows2 { get; }

    /// <summary>The schedule it was trained under; null: the base model's.</summary>
    /// <exception cref="SafetensorsException">The file names one that does not exist.</exception>
    public TrainedSchedule? Schedule => (UNet ?? Lora) is { } weights ? TrainedSchedule.Read(weights) : null;

    internal SafetensorsFile? Lora { get; }

    internal SafetensorsFile? UNet { get; }

    /// <summary>Opens a folder with Replicate's file names, a trained_model.tar, or a single LoRA file in any known format.</summary>
    /// <exception cref="SafetensorsException">A file in it is corrupt.</exception>
    /// <exception cref="InvalidDataException">There are neither LoRA nor U-Net weights.</exception>
    public static FineTune Load(string folderOrTar)
    {
        if (Directory.Exists(folderOrTar))
        {
            string? In(string name) => Path.Combine(folderOrTar, name) is var path && File.Exists(path) ? path : null;
            return Build(folderOrTar,
                name => In(name) is { } path ? SafetensorsFile.Open(path) : null,
                name => In(name) is { } path ? File.ReadAllBytes(path) : null);
        }
        if (!File.Exists(folderOrTar))
            throw new FileNotFoundException($"There is no fine-tune at '{folderOrTar}'. Expected a folder, a {TrainedModelTar.FileName} or a LoRA file.", folderOrTar);
        if (Path.GetExtension(folderOrTar) == ".safetensors")
            return Build(folderOrTar, name => name == TrainedModelTar.LoraName ? SafetensorsFile.Open(folderOrTar) : null, _ => null);
        var places = Places(folderOrTar);
        return Build(folderOrTar,
            name => places.TryGetValue(name, out var at) ? SafetensorsFile.Open(folderOrTar, at.Offset, at.Length) : null,
            name => places.TryGetValue(name, out var at) ? Bytes(folderOrTar, at.Offset, at.Length) : null);
    }

    public void Dispose()
    {
        Lora?.Dispose();
        UNet?.Dispose();
        Rows1?.Dispose();
        Rows2?.Dispose();
    }

    private static FineTune Build(string source, Func<string, SafetensorsFile?> open, Func<string, byte[]?> read)
    {
        SafetensorsFile? lora = null, unet = null;
        try
        {
            // Replicate's rule: a U-Net beside a LoRA wins.
            unet = open(TrainedModelTar.UNetName);
            lora = unet is null ? open(TrainedModelTar.LoraName) : null;
            (Tensor, Tensor)? rows = null;
            using (var embeddings = open(TrainedModelTar.EmbeddingsName))
            {
                if (embeddings is not null)
                    rows = EmbeddingFile.Read(embeddings);
            }
            if (lora is null && unet is null && rows is null)
                throw new InvalidDataException($"Fine-tune '{source}' holds none of {TrainedModelTar.LoraName}, {TrainedModelTar.UNetName} and {TrainedModelTar.EmbeddingsName}.");
            var special = read(TrainedModelTar.SpecialParamsName) is { } json ? JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [] : [];
            rows?.Item1.DetachFromDisposeScope();
            rows?.Item2.DetachFromDisposeScope();
            return new FineTune(source, lora, unet, rows, special);
        }
        catch
        {
            lora?.Dispose();
            unet?.Dispose();
            throw;
        }
    }

    /// <summary>Where the files lie inside a tar.</summary>
    private static Dictionary<string, (long Offset, long Length)> Places(string tarPath)
    {
        var places = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        try
        {
            using var stream = File.OpenRead(tarPath);
            using var tar = new TarReader(stream);
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                    places[entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name] = (entry.DataOffset, entry.Length);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"Fine-tune '{tarPath}' is not a readable tar: {e.Message} Expected the {TrainedModelTar.FileName} of a training, uncompressed.", e);
        }
        return places;
    }

    private static byte[] Bytes(string path, long offset, long length)
    {
        using var stream = File.OpenRead(path);
        stream.Position = offset;
        var bytes = new byte[Math.Min(length, stream.Length - offset)];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
