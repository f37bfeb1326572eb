using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>
/// The layers that a file may change, found by any of the names that training programs give them. Names are compared without dots, since
/// kohya's have lost theirs; the U-Net's layers have two each, diffusers' and sgm's.
/// </summary>
public sealed class LoraTargets
{
    // Longest first: text_encoder_2_ begins with text_encoder_. Where the net is null, what follows may say it; the U-Net is meant where
    // nothing does.
    private static readonly (string Prefix, string? Net)[] s_prefixes =
    [
        .. new (string, string?)[]
        {
            ("lora_", null), ("lycoris_", null), ("base_model_model_", null), ("model_", null), // kohya, LyCORIS, PEFT, a checkpoint's
            ("unet_", "unet"), ("diffusion_model_", "unet"),
            ("te1_", "text_encoder"), ("text_encoder_", "text_encoder"), ("text_encoder_1_", "text_encoder"), ("clip_l_", "text_encoder"),
            ("te2_", "text_encoder_2"), ("text_encoder_2_", "text_encoder_2"), ("clip_g_", "text_encoder_2"), // clip_l, clip_g: OneTrainer
            ("text_encoders_clip_l_transformer_", "text_encoder"), ("text_encoders_clip_g_transformer_", "text_encoder_2"), // ComfyUI
        }.OrderByDescending(p => p.Item1.Length),
    ];

    // What wrappers leave inside names: torch.compile, DistributedDataParallel, diffusers' former attention processors.
    private static readonly string[] s_wrappers = ["_orig_mod", "module", "processor"];

    private readonly Dictionary<(string Net, string Name), string> modules = [];

    /// <param name="layers">Names of the layers with a weight, by net (unet, text_encoder, text_encoder_2).</param>
    /// <param name="names">The U-Net's sgm names.</param>
    public LoraTargets(IReadOnlyDictionary<string, IReadOnlyList<string>> layers, SingleFileNames names)
    {
        foreach (var (net, all) in layers)
        {
            foreach (var module in all)
            {
                modules[(net, Folded(module))] = module;
                if (net == "unet")
                    modules[(net, Folded(names.UNet(module)))] = module;
                foreach (var alias in Former(module))
                    modules[(net, Folded(alias))] = module;
            }
        }
    }

    /// <summary>All linear layers and convolutions of a model's U-Net and text encoders.</summary>
    public static LoraTargets Of(SdxlModel model) =>
        new(Layers(model).ToDictionary(net => net.Key, net => (IReadOnlyList<string>)[.. net.Value.Keys]),
            SdxlModel.NamesFor(model.UNet.Config, model.Vae.Config));

    /// <summary>The layers themselves, by net and name.</summary>
    internal static Dictionary<string, Dictionary<string, IWeighted>> Layers(SdxlModel model)
    {
        static Dictionary<string, IWeighted> In(nn.Module net) =>
            net.named_modules().Where(m => m.module is IWeighted)
                .ToDictionary(m => m.name, m => (IWeighted)m.module, StringComparer.Ordinal);
        return model.Nets.Where(net => net.Key != "vae").ToDictionary(net => net.Key, net => In(net.Value));
    }

    /// <summary>The layer that a name in a file stands for; null: none of this model.</summary>
    /// <param name="name">What stands before ".lora_down.weight" and the like.</param>
    public (string Net, string Module)? Find(string name)
    {
        var rest = string.Join('_', name.Split('.').Where(part => !s_wrappers.Contains(part)));
        for (var net = "unet"; ;)
        {
            if (modules.TryGetValue((net, rest), out var module))
                return (net, module);
            var (prefix, says) = Array.Find(s_prefixes, p => rest.StartsWith(p.Prefix, StringComparison.Ordinal));
            if (prefix is null)
                return null;
            (net, rest) = (says ?? net, rest[prefix.Length..]);
        }
    }

    private static string Folded(string name) => name.Replace('.', '_');

    /// <summary>What diffusers called the projections before PEFT: to_out of the U-Net; to_q, to_out of the text encoders.</summary>
    private static IEnumerable<string> Former(string module)
    {
        foreach (var (now, then) in new[]
        {
            (".to_out.0", ".to_out"), ("self_attn.q_proj", "self_attn.to_q"), ("self_attn.k_proj", "self_attn.to_k"),
            ("self_attn.v_proj", "self_attn.to_v"), ("self_attn.out_proj", "self_attn.to_out"),
        })
        {
            if (module.EndsWith(now, StringComparison.Ordinal))
                yield return module[..^now.Length] + then;
        }
    }
}
