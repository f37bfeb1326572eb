using Sdxl.Core.Text;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// Reads LoRA, LoCon, LoHa and LoKr, each with or without DoRA's magnitudes, whatever program named the tensors: what a tensor is, the
/// end of its name tells (<see cref="TensorRole"/>), which layer it changes, the rest (<see cref="LoraTargets"/>).
/// </summary>
public static class LoraFile
{
    private const int Shown = 5; // names in an error

    /// <summary>Reads all layers, fp32 on the CPU; the caller owns them.</summary>
    /// <param name="adapterConfig">The text of PEFT's adapter_config.json, which holds the alphas; null: the header's, else alpha =
    /// rank.</param>
    /// <exception cref="SafetensorsException">
    /// A tensor that belongs to no layer, a layer without one of its parts, parts that do not fit, numbers that are none: nothing is
    /// returned.
    /// </exception>
    public static IReadOnlyList<LayerChange> Read(SafetensorsFile file, LoraTargets targets, string? adapterConfig = null)
    {
        var alphas = PeftConfiguration.Read(file, adapterConfig);
        var changes = new List<LayerChange>();
        try
        {
            foreach (var ((net, module), parts) in Parts(file, targets)
                .OrderBy(p => p.Key.Net, StringComparer.Ordinal).ThenBy(p => p.Key.Module, StringComparer.Ordinal))
                changes.Add(new LayerParts(file, net, module, parts, alphas).Read());
            return changes;
        }
        catch
        {
            changes.ForEach(change => change.Dispose());
            throw;
        }
    }

    /// <summary>
    /// kohya's name of a module: lora_unet_ and the sgm name, or lora_te1_, lora_te2_ and the module's name, "." replaced by "_".
    /// </summary>
    public static string KohyaName(string net, string module, SingleFileNames names) => net switch
    {
        "unet" => "lora_unet_" + names.UNet(module).Replace('.', '_'),
        "text_encoder" => "lora_te1_" + module.Replace('.', '_'),
        _ => "lora_te2_" + module.Replace('.', '_'),
    };

    /// <summary>The tensors of each layer, by role.</summary>
    private static Dictionary<(string Net, string Module), Dictionary<string, string>> Parts(SafetensorsFile file, LoraTargets targets)
    {
        var parts = new Dictionary<(string, string), Dictionary<string, string>>();
        var (unknown, adapters) = (new List<string>(), new HashSet<string>());
        foreach (var name in file.Entries.Keys.Where(n => !EmbeddingFile.IsRow(n)))
        {
            if (TensorRole.Unsupported(name) is { } kind)
                throw new SafetensorsException(file.Path, WeightsKinds.NotApplied(kind, name));
            if (TensorRole.Of(name) is not { } role || targets.Find(role.Layer) is not { } target)
            {
                unknown.Add(name);
                continue;
            }
            if (role.Adapter.Length > 0 && adapters.Add(role.Adapter) && adapters.Count > 1)
                throw new SafetensorsException(file.Path,
                    $"holds several adapters ({string.Join(", ", adapters)}), and one is applied at a time. Save one of them by itself.");
            if (!parts.TryGetValue(target, out var layer))
                parts[target] = layer = [];
            if (!layer.TryAdd(role.Role, name))
                throw new SafetensorsException(file.Path,
                    $"layer '{target.Module}' is given twice, as '{layer[role.Role]}' and as '{name}'.");
        }
        if (unknown.Count > 0)
        {
            var family = ModelFamily.Sentence(file);
            throw new SafetensorsException(
                file.Path,
                $"{unknown.Count} of {Plural.Of(file.Entries.Count, "tensor")} {Plural.Verb(unknown.Count, "belongs", "belong")} to no "
                    + "layer of this model: "
                    + $"{string.Join(", ", unknown.Take(Shown))}{(unknown.Count > Shown ? ", …" : "")}.{(family.Length > 0 ? family : " The file was made for another kind of model, or its names are of a program that is not known here.")}"
            );
        }
        return parts;
    }
}

/// <summary>The tensors of one layer, put together.</summary>
internal sealed class LayerParts(SafetensorsFile file, string net, string module, IReadOnlyDictionary<string, string> names,
    PeftConfiguration alphas)
{
    public LayerChange Read()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        string[] kinds = [.. new[] { "hada", "lokr" }
            .Where(kind => names.Keys.Any(role => role.StartsWith(kind, StringComparison.Ordinal)))];
        if (kinds.Length == 2 || kinds.Length == 1 && (names.ContainsKey("down") || names.ContainsKey("up")))
            throw Fault($"mixes kinds of adapters: {string.Join(", ", names.Values)}. Save it again in one kind.");
        LayerChange change = kinds switch { ["hada"] => Loha(), ["lokr"] => Lokr(), _ => Lora() };
        if (change.Problem() is { } problem)
            throw Fault($": {problem}");
        change = change with { Magnitude = names.TryGetValue("magnitude", out var name) ? RowLengths(name, change.Size) : null };
        scope.Detach(change.All);
        return change;
    }

    private LoraLayer Lora()
    {
        var (down, up, mid) = (Need("down"), Need("up"), Maybe("mid"));
        return new LoraLayer(net, module, down, up, Scale(down.shape.ElementAtOrDefault(0)), Mid: mid);
    }

    private LohaLayer Loha()
    {
        var (b1, t1, t2) = (Need("hada_w1_b"), Maybe("hada_t1"), Maybe("hada_t2"));
        return new LohaLayer(net, module, Need("hada_w1_a"), b1, Need("hada_w2_a"), Need("hada_w2_b"), t1, t2,
            Scale(b1.shape.ElementAtOrDefault(0)));
    }

    private LokrLayer Lokr()
    {
        LokrFactor Factor(string name, string core) => new(Maybe(name), Maybe(name + "_a"), Maybe(name + "_b"), Maybe(core));
        var (first, second) = (Factor("lokr_w1", "lokr_t1"), Factor("lokr_w2", "lokr_t2"));
        var rank = (second.B ?? first.B)?.shape.ElementAtOrDefault(0);
        return new LokrLayer(net, module, first, second, rank is null ? 1 : Scale(rank.Value));
    }

    private double Scale(long rank)
    {
        if (rank == 0)
            throw Fault("has rank 0. The file is incomplete.");
        return Alpha() / rank is var scale && double.IsFinite(scale) ? scale : throw Fault($"has alpha {Alpha()}.");

        double Alpha()
        {
            if (!names.TryGetValue("alpha", out var name))
                return alphas.Of(net, module, rank);
            if (file.Entries[name].Elements != 1)
                throw new SafetensorsException(file.Path, $"tensor '{name}' is {file.Entries[name]}; an alpha is one number.");
            return file.ReadFinite(name).AsDouble();
        }
    }

    /// <summary>DoRA's lengths, one an output row: [out], or [out, 1] (and more ones) as LyCORIS and ComfyUI write it.</summary>
    private Tensor RowLengths(string name, (long Rows, long Columns) size)
    {
        var shape = file.Entries[name].Shape;
        if (shape.Length >= 1 && shape[0] == size.Rows && shape.Skip(1).All(side => side == 1))
            return file.ReadFinite(name).flatten();
        var why = shape is [1, var along, ..] && size.Columns % Math.Max(1, along) == 0 && along > 1
            ? " It scales input columns (LyCORIS with wd_on_out=false), which is not supported."
            : "";
        throw new SafetensorsException(
            file.Path,
            $"tensor '{name}' is [{string.Join(", ", shape)}]; the magnitude of a layer with {size.Rows} outputs is [{size.Rows}] or "
                + $"[{size.Rows}, 1].{why}"
        );
    }

    private Tensor? Maybe(string role) => names.TryGetValue(role, out var name) ? file.ReadFinite(name) : null;

    private Tensor Need(string role) => Maybe(role) ?? throw Fault(
        $"has no {(role is "down" or "up" ? role + " matrix" : role)}; it has {string.Join(", ", names.Values)}. The file is incomplete.");

    private SafetensorsException Fault(string problem) =>
        new(file.Path, $"layer '{module}'{(problem.StartsWith(':') ? "" : " ")}{problem}");
}
