using System.Globalization;
using System.Security.Cryptography;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Export;

/// <summary>Writes a LoRA in the formats that other programs read. Bytes depend on the content alone.</summary>
/// <remarks>In every file alpha is the rank: a scale of the training is folded into the up matrices, because several readers mishandle
/// alpha (trainers.md, 2.4).</remarks>
public static class LoraExport
{
    private const int LegacyHashStart = 0x100000, LegacyHashLength = 0x10000; // bytes, as sd-webui-additional-networks read them

    /// <summary>Replicate's lora.safetensors: attention-processor names, fp32, no alpha.</summary>
    /// <remarks>That format can name attention layers only; others, and DoRA's magnitudes, are added under diffusers' names, which its
    /// loader passes over.</remarks>
    /// <param name="metadata">Entries of the header; its loader passes over them.</param>
    public static void WriteCog(string path, IReadOnlyList<LoraLayer> layers, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var layer in layers.Select(l => l.Folded()))
        {
            var (down, up) = CogNames(layer.Module) is { } stem
                ? (stem + ".down.weight", stem + ".up.weight")
                : (layer.Module + ".lora.down.weight", layer.Module + ".lora.up.weight");
            tensors.Add(down, Plain(layer.Down));
            tensors.Add(up, Plain(layer.Up));
            if (layer.Magnitude is not null)
                tensors.Add(layer.Module + ".lora_magnitude_vector", Plain(layer.Magnitude));
        }
        SafetensorsWriter.Write(path, tensors, metadata);
    }

    /// <summary>PEFT's form for diffusers' load_lora_weights: unet.{module}.lora_A.weight, .lora_B.weight.</summary>
    /// <param name="metadata">Further entries of the header.</param>
    public static void WritePeft(string path, IReadOnlyList<LoraLayer> layers, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var layer in layers.Select(l => l.Folded()))
        {
            tensors.Add($"{layer.Net}.{layer.Module}.lora_A.weight", Plain(layer.Down));
            tensors.Add($"{layer.Net}.{layer.Module}.lora_B.weight", Plain(layer.Up));
            if (layer.Magnitude is not null)
                tensors.Add($"{layer.Net}.{layer.Module}.lora_magnitude_vector", Plain(layer.Magnitude));
        }
        SafetensorsWriter.Write(
            path,
            tensors,
            new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal) { ["format"] = "pt" }
        );
    }

    /// <summary>
    /// kohya's form for A1111, Forge, ComfyUI and InvokeAI: sgm names, alpha = rank, ss_* and modelspec.* header with the hashes that user
    /// interfaces look for.
    /// </summary>
    /// <param name="metadata">ss_* and modelspec.* entries; rank, alpha and hashes are filled in.</param>
    public static void WriteKohya(
        string path,
        IReadOnlyList<LoraLayer> layers,
        SingleFileNames names,
        IReadOnlyDictionary<string, string> metadata
    )
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var layer in layers.Select(l => l.Folded()))
        {
            var stem = LoraFile.KohyaName(layer.Net, layer.Module, names);
            tensors.Add(stem + ".lora_down.weight", Plain(layer.Down));
            tensors.Add(stem + ".lora_up.weight", Plain(layer.Up));
            tensors.Add(stem + ".alpha", Num(layer.Rank).AsTensor(float32));
            if (layer.Magnitude is not null)
                tensors.Add(stem + ".dora_scale", Plain(layer.Magnitude).unsqueeze(1)); // [out, 1], as LyCORIS and ComfyUI want it
        }
        var rank = layers.Max(l => l.Rank).ToString(CultureInfo.InvariantCulture);
        var header = new Dictionary<string, string>(metadata, StringComparer.Ordinal)
        {
            ["ss_network_module"] = "networks.lora",
            ["ss_network_dim"] = rank,
            ["ss_network_alpha"] = rank,
        };
        // The hashes are those of the file with the training's own metadata only, as sd-scripts' precalculate_safetensors_hashes computes
        // them.
        SafetensorsWriter.Write(path, tensors, header.Where(m => m.Key.StartsWith("ss_", StringComparison.Ordinal)).ToDictionary());
        (header["sshs_model_hash"], header["sshs_legacy_hash"]) = Hashes(path);
        SafetensorsWriter.Write(path, tensors, header);
    }

    private static (string Model, string Legacy) Hashes(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> length = stackalloc byte[8];
        stream.ReadExactly(length);
        stream.Position = 8 + (long)System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(length);
        var model = Convert.ToHexStringLower(SHA256.HashData(stream));
        var part = new byte[Math.Clamp(stream.Length - LegacyHashStart, 0, LegacyHashLength)];
        if (part.Length > 0)
        {
            stream.Position = LegacyHashStart;
            stream.ReadExactly(part);
        }
        return (model, Convert.ToHexStringLower(SHA256.HashData(part))[..8]);
    }

    /// <summary>….attn1.to_out.0 -> ….attn1.processor.to_out_lora; null for other layers.</summary>
    private static string? CogNames(string module)
    {
        foreach (var (suffix, name) in new[] { ("to_q", "to_q"), ("to_k", "to_k"), ("to_v", "to_v"), ("to_out.0", "to_out") })
        {
            foreach (var attention in new[] { ".attn1.", ".attn2." })
            {
                if (module.EndsWith(attention + suffix, StringComparison.Ordinal))
                    return $"{module[..^suffix.Length]}processor.{name}_lora";
            }
        }
        return null;
    }

    private static Tensor Plain(Tensor tensor) => tensor.detach().to(ScalarType.Float32, CPU);
}
