using System.Text.Json;
using System.Text.RegularExpressions;
using Sdxl.Core.Text;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>The ways a LoRA is written in a safetensors file.</summary>
public enum LoraFormat
{
    /// <summary>Replicate's trainer: ….attn1.processor.to_q_lora.down.weight, no alpha.</summary>
    Cog,

    /// <summary>PEFT and diffusers: [base_model.model.][unet.]….attn1.to_q.lora_A.weight (or .lora.down.weight), alpha = rank unless header, adapter_config.json or an .alpha says otherwise.</summary>
    Peft,

    /// <summary>kohya, A1111, ComfyUI: lora_unet_….lora_down.weight with sgm or diffusers block names, .alpha.</summary>
    Kohya,
}

/// <summary>The layers that a LoRA file may speak of: kohya's names have lost their dots, so they are found by trying the net's own.</summary>
/// <param name="Modules">Names of the linear layers, by net (unet, text_encoder, text_encoder_2).</param>
/// <param name="Names">The U-Net's sgm names.</param>
public sealed record LoraTargets(IReadOnlyDictionary<string, IReadOnlyList<string>> Modules, SingleFileNames Names);

/// <summary>Reads a LoRA in any of the <see cref="LoraFormat"/>s; which it is is told by its names.</summary>
public static partial class LoraFile
{
    private const string LowRankAdapterMetadata = "lora_adapter_metadata";

    /// <summary>Reads all layers, fp32 on the CPU; the caller owns them.</summary>
    /// <param name="targets">Needed for kohya's names only.</param>
    /// <param name="adapterConfig">The text of PEFT's adapter_config.json, which holds the alphas; null: the header's, else alpha = rank.</param>
    /// <exception cref="SafetensorsException">A tensor that belongs to no layer, a layer without one of its halves, halves that do not fit: nothing is returned.</exception>
    public static (LoraFormat Format, IReadOnlyList<LoraLayer> Layers) Read(SafetensorsFile file, LoraTargets targets, string? adapterConfig = null)
    {
        var format = FormatOf(file);
        Func<string, Part?> parse = format switch
        {
            LoraFormat.Cog => CogPart,
            LoraFormat.Kohya => KohyaParser(targets),
            _ => PeftPart,
        };
        var parts = new Dictionary<(string Net, string Module), Dictionary<string, string>>();
        var unknown = new List<string>();
        foreach (var name in file.Entries.Keys.Where(n => !EmbeddingFile.IsBundled(n)))
        {
            if (parse(name) is not { } part)
            {
                unknown.Add(name);
                continue;
            }
            if (!parts.TryGetValue((part.Net, part.Module), out var layer))
                parts[(part.Net, part.Module)] = layer = [];
            if (!layer.TryAdd(part.Role, name))
                throw new SafetensorsException(file.Path, $"layer '{part.Module}' is given twice, as '{layer[part.Role]}' and as '{name}'.");
        }
        if (unknown.Count > 0)
        {
            throw new SafetensorsException(
                file.Path, $"{unknown.Count} of {Plural.Of(file.Entries.Count, "tensor")} {Plural.Verb(unknown.Count, "belongs", "belong")} to no linear layer of this model ({format} names): {string.Join(", ", unknown.Take(5))}{(unknown.Count > 5 ? ", …" : "")}. "
                + "The LoRA was made for another kind of model, or it changes convolutions, which is not supported.");
        }
        var alphas = format == LoraFormat.Peft ? ConfiguredAlpha(file, adapterConfig) : null;
        var layers = new List<LoraLayer>();
        foreach (var ((net, module), names) in parts.OrderBy(p => p.Key.Net, StringComparer.Ordinal).ThenBy(p => p.Key.Module, StringComparer.Ordinal))
            layers.Add(ReadLayer(file, net, module, names, alphas));
        return (format, layers);
    }

    /// <summary>Which of the formats a file's names are in.</summary>
    /// <exception cref="SafetensorsException">None of them.</exception>
    public static LoraFormat FormatOf(SafetensorsFile file)
    {
        var names = file.Entries.Keys;
        return names.Any(n => n.Contains(".processor.to_", StringComparison.Ordinal)) ? LoraFormat.Cog
            : names.Any(n => n.StartsWith("lora_unet_", StringComparison.Ordinal) || n.StartsWith("lora_te", StringComparison.Ordinal)) ? LoraFormat.Kohya
            : names.Any(n => n.Contains(".lora", StringComparison.Ordinal)) ? LoraFormat.Peft
            : throw new SafetensorsException(file.Path, $"is not a LoRA: no tensor is named like one. It holds {names.Count()}: {string.Join(", ", names.Take(3))}, …");
    }

    private readonly record struct Part(string Net, string Module, string Role); // Role: down, up, alpha, magnitude

    private static LoraLayer ReadLayer(SafetensorsFile file, string net, string module, Dictionary<string, string> names, Func<string, long, double>? headerAlpha)
    {
        using var scope = NewDisposeScope();
        foreach (var role in new[] { "down", "up" })
        {
            if (!names.ContainsKey(role))
                throw new SafetensorsException(file.Path, $"layer '{module}' has no {role} matrix; it has {string.Join(", ", names.Values)}. The file is incomplete.");
        }
        var down = Matrix(file, names["down"]);
        var up = Matrix(file, names["up"]);
        var rank = down.shape[0];
        if (up.shape[1] != rank)
            throw new SafetensorsException(file.Path, $"layer '{module}': down is [{string.Join(", ", down.shape)}] and up is [{string.Join(", ", up.shape)}]; their ranks differ.");
        var alpha = names.TryGetValue("alpha", out var alphaName) ? file.Read(alphaName, float32).AsDouble() : headerAlpha?.Invoke(module, rank) ?? rank;
        var magnitude = names.TryGetValue("magnitude", out var magnitudeName) ? RowLengths(file, magnitudeName, up.shape[0], down.shape[1]) : null;
        return new LoraLayer(net, module, down.MoveToOuterDisposeScope(), up.MoveToOuterDisposeScope(), alpha / rank, magnitude?.MoveToOuterDisposeScope());
    }

    /// <summary>DoRA's lengths, one an output row: [out], or [out, 1] (and more ones) as LyCORIS and ComfyUI write it.</summary>
    private static Tensor RowLengths(SafetensorsFile file, string name, long rows, long columns)
    {
        var shape = file.Entries[name].Shape;
        if (shape.Length >= 1 && shape[0] == rows && shape.Skip(1).All(side => side == 1))
            return file.Read(name, float32).flatten();
        var why = shape is [1, var along] && along == columns ? " It scales input columns (LyCORIS with wd_on_out=false), which is not supported." : "";
        throw new SafetensorsException(file.Path, $"tensor '{name}' is [{string.Join(", ", shape)}]; the magnitude of a layer with {rows} outputs is [{rows}] or [{rows}, 1].{why}");
    }

    /// <summary>[a, b]; a 1x1 convolution's [a, b, 1, 1] is one too.</summary>
    private static Tensor Matrix(SafetensorsFile file, string name)
    {
        var tensor = file.Read(name, float32);
        return tensor.shape switch
        {
            [_, _] => tensor,
            [var a, var b, 1, 1] => tensor.view(a, b),
            var shape => throw new SafetensorsException(file.Path, $"tensor '{name}' is [{string.Join(", ", shape)}]; a LoRA matrix of a linear layer has two sides."),
        };
    }

    // ---- names

    private static Part? CogPart(string name)
    {
        if (CogName().Match(name) is { Success: true } m)
        {
            var projection = m.Groups["which"].Value == "out" ? "to_out.0" : "to_" + m.Groups["which"].Value;
            return new Part("unet", $"{m.Groups["block"].Value}.{projection}", m.Groups["role"].Value);
        }
        return PeftPart(name); // what the cog format has no name for (other linear layers, DoRA) is named as diffusers does
    }

    private static Part? PeftPart(string name)
    {
        if (PeftName().Match(name) is not { Success: true } m)
            return null;
        var net = m.Groups["net"].Success ? m.Groups["net"].Value : "unet";
        return new Part(net, m.Groups["module"].Value, m.Groups["role"].Value switch
        {
            "lora_A.weight" or "lora.down.weight" or "lora_linear_layer.down.weight" => "down",
            "lora_B.weight" or "lora.up.weight" or "lora_linear_layer.up.weight" => "up",
            "alpha" or "lora.alpha" => "alpha",
            _ => "magnitude",
        });
    }

    private static Func<string, Part?> KohyaParser(LoraTargets targets)
    {
        var modules = new Dictionary<string, (string Net, string Module)>(StringComparer.Ordinal);
        foreach (var (net, names) in targets.Modules)
        {
            foreach (var module in names)
            {
                modules[KohyaName(net, module, targets.Names)] = (net, module);
                modules[Prefix(net) + module.Replace('.', '_')] = (net, module); // some kohya-style files keep diffusers' block names
            }
        }
        return name =>
        {
            var dot = name.IndexOf('.');
            if (dot < 0 || !modules.TryGetValue(name[..dot], out var found))
                return null;
            return name[(dot + 1)..] switch
            {
                "lora_down.weight" => new Part(found.Net, found.Module, "down"),
                "lora_up.weight" => new Part(found.Net, found.Module, "up"),
                "alpha" => new Part(found.Net, found.Module, "alpha"),
                "dora_scale" => new Part(found.Net, found.Module, "magnitude"),
                _ => null,
            };
        };
    }

    /// <summary>kohya's name of a module: lora_unet_ and the sgm name, or lora_te1_, lora_te2_ and the module's name, "." replaced by "_".</summary>
    public static string KohyaName(string net, string module, SingleFileNames names) =>
        Prefix(net) + (net == "unet" ? names.UNet(module) : module).Replace('.', '_');

    private static string Prefix(string net) => net switch { "unet" => "lora_unet_", "text_encoder" => "lora_te1_", _ => "lora_te2_" };

    /// <summary>
    /// PEFT's configuration: diffusers writes it into the header ("unet.lora_alpha"), PEFT itself into adapter_config.json ("lora_alpha"). Patterns name modules by their ends.
    /// </summary>
    private static Func<string, long, double>? ConfiguredAlpha(SafetensorsFile file, string? adapterConfig)
    {
        if (!file.Metadata.TryGetValue(LowRankAdapterMetadata, out var text) && (text = adapterConfig) is null)
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            JsonElement? Value(string name) =>
                (root.TryGetProperty("unet." + name, out var value) || root.TryGetProperty(name, out value)) && value.ValueKind != JsonValueKind.Null ? value : null;
            double? general = Value("lora_alpha")?.GetDouble();
            var stabilized = Value("use_rslora")?.GetBoolean() ?? false; // alpha / sqrt(r) instead of alpha / r
            var patterns = Value("alpha_pattern") is { } p ? p.EnumerateObject().Select(e => (Ending: e.Name, Alpha: e.Value.GetDouble())).ToList() : [];
            return (module, rank) =>
            {
                var own = patterns.Where(q => module == q.Ending || module.EndsWith("." + q.Ending, StringComparison.Ordinal)).Select(q => (double?)q.Alpha).FirstOrDefault();
                var alpha = own ?? general ?? rank;
                return stabilized ? alpha * Math.Sqrt(rank) : alpha;
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new SafetensorsException(file.Path, $"the PEFT configuration ({(file.Metadata.ContainsKey(LowRankAdapterMetadata) ? $"header entry {LowRankAdapterMetadata}" : "adapter_config.json")}) cannot be read: {e.Message}", e);
        }
    }

    [GeneratedRegex(@"^(?:unet\.)?(?<block>.+\.attn[12])\.processor\.to_(?<which>q|k|v|out)_lora\.(?<role>down|up)\.weight$")]
    private static partial Regex CogName();

    [GeneratedRegex(@"^(?:base_model\.model\.)?(?:(?<net>unet|text_encoder|text_encoder_2)\.)?(?<module>.+?)\.(?<role>lora_[AB]\.weight|lora\.(?:down|up)\.weight|lora_linear_layer\.(?:down|up)\.weight|(?:lora\.)?alpha|lora_magnitude_vector(?:\.weight)?)$")]
    private static partial Regex PeftName();
}
