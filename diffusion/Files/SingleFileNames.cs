using System.Globalization;
using System.Text.RegularExpressions;

namespace Sdxl.Diffusion.Files;

/// <summary>How a tensor's numbers lie in the single file, compared with the diffusers folder.</summary>
public enum TensorChange
{
    /// <summary>The same.</summary>
    None,

    /// <summary>[a, b] is stored as [b, a].</summary>
    Transposed,

    /// <summary>The first third of the rows of a stacked tensor: q, k, v one below the other.</summary>
    QueryThird,

    /// <summary>The second third.</summary>
    KeyThird,

    /// <summary>The last third.</summary>
    ValueThird,

    /// <summary>[a, b] is stored as a 1x1 convolution [a, b, 1, 1].</summary>
    Pointwise,
}

/// <summary>Where a tensor lies in the single-file checkpoint.</summary>
public sealed record SingleFileName(string Name, TensorChange Change);

/// <summary>
/// Names of SDXL's tensors in the single-file checkpoint (Stability's sgm layout) for tensors of the diffusers folders. The only table of
/// names in this room:
/// reading takes each name a net wants through it, writing each name a net has.
/// </summary>
/// <remarks>Facts: goldens/keys/single-file-names.json; trainers.md section 3, D and G.</remarks>
public sealed partial class SingleFileNames
{
    private static readonly (string From, string To)[] s_resnet =
    [
        ("norm1", "in_layers.0"),
        ("conv1", "in_layers.2"),
        ("time_emb_proj", "emb_layers.1"),
        ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"),
        ("conv_shortcut", "skip_connection"),
    ];

    private static readonly (string From, string To)[] s_unetTop =
    [
        ("conv_in.", "input_blocks.0.0."), ("conv_norm_out.", "out.0."), ("conv_out.", "out.2."),
        ("time_embedding.linear_1.", "time_embed.0."), ("time_embedding.linear_2.", "time_embed.2."),
        ("add_embedding.linear_1.", "label_emb.0.0."), ("add_embedding.linear_2.", "label_emb.0.2."),
    ];

    private static readonly (string From, string To)[] s_openClipLayer =
    [
        ("layer_norm1", "ln_1"),
        ("layer_norm2", "ln_2"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
        ("self_attn.out_proj", "attn.out_proj"),
    ];

    private readonly int[] downLayers;
    private readonly bool[] upAttends;
    private readonly int vaeLevels;

    /// <param name="downLayers">The U-Net's layers_per_block, one for each level, outermost first.</param>
    /// <param name="upAttends">For each up block, lowest first, whether it has attentions.</param>
    /// <param name="vaeLevels">Levels of the VAE.</param>
    public SingleFileNames(IReadOnlyList<int> downLayers, IReadOnlyList<bool> upAttends, int vaeLevels) =>
        (this.downLayers, this.upAttends, this.vaeLevels) = ([.. downLayers], [.. upAttends], vaeLevels);

    /// <summary>Where a tensor lies.</summary>
    /// <param name="net">Folder: unet, vae, text_encoder, text_encoder_2.</param>
    /// <param name="name">The tensor's name in that folder's file.</param>
    /// <exception cref="ArgumentException">SDXL has no such tensor.</exception>
    public SingleFileName Of(string net, string name) => net switch
    {
        "unet" => new("model.diffusion_model." + UNet(name), TensorChange.None),
        "vae" => Vae(name),
        "text_encoder" => new("conditioner.embedders.0.transformer." + name, TensorChange.None),
        "text_encoder_2" => OpenClip(name),
        _ => throw new ArgumentException($"'{net}' is not a net of SDXL. Expected unet, vae, text_encoder or text_encoder_2.", nameof(net)),
    };

    /// <summary>
    /// The sgm name of a U-Net tensor or module ("down_blocks.1.attentions.0.proj_in" -> "input_blocks.4.1.proj_in"), without the
    /// checkpoint's prefix.
    /// </summary>
    public string UNet(string name)
    {
        foreach (var (from, to) in s_unetTop)
        {
            if ((name + ".").StartsWith(from, StringComparison.Ordinal))
                return (to + (name + ".")[from.Length..])[..^1];
        }
        if (UNetBlock().Match(name) is not { Success: true } m)
            throw new ArgumentException($"'{name}' is not the name of a tensor or module of SDXL's U-Net.", nameof(name));
        var (kind, part, rest) = (m.Groups["kind"].Value, m.Groups["part"].Value, m.Groups["rest"].Value);
        var block = m.Groups["block"].Success ? Number(m.Groups["block"]) : 0;
        var index = Number(m.Groups["index"]);
        if (part == "resnets")
            rest = Replace(rest, s_resnet);
        return (kind, part) switch
        {
            ("down_blocks", "resnets") => $"input_blocks.{DownStart(block) + index}.0.{rest}",
            ("down_blocks", "attentions") => $"input_blocks.{DownStart(block) + index}.1.{rest}",
            ("down_blocks", "downsamplers") => $"input_blocks.{DownStart(block) + downLayers[block]}.0.{Replace(rest, [("conv", "op")])}",
            ("up_blocks", "resnets") => $"output_blocks.{UpStart(block) + index}.0.{rest}",
            ("up_blocks", "attentions") => $"output_blocks.{UpStart(block) + index}.1.{rest}",
            ("up_blocks", "upsamplers") => $"output_blocks.{UpStart(block + 1) - 1}.{(upAttends[block] ? 2 : 1)}.{rest}",
            ("mid_block", "resnets") => $"middle_block.{2 * index}.{rest}",
            ("mid_block", "attentions") => $"middle_block.{2 * index + 1}.{rest}",
            _ => throw new ArgumentException($"'{name}' is not the name of a tensor or module of SDXL's U-Net.", nameof(name)),
        };
    }

    /// <summary>Number of the first input block of a down level; 0 is conv_in.</summary>
    private int DownStart(int level) => 1 + downLayers.Take(level).Sum(l => l + 1);

    private int UpStart(int step) => downLayers.Reverse().Take(step).Sum(l => l + 1);

    private SingleFileName Vae(string name)
    {
        var change = TensorChange.None;
        var n = name;
        if (n.Contains("mid_block.attentions.0.", StringComparison.Ordinal))
        {
            n = n.Replace("mid_block.attentions.0.", "mid.attn_1.", StringComparison.Ordinal)
                .Replace("group_norm.", "norm.", StringComparison.Ordinal)
                .Replace("to_out.0.", "proj_out.", StringComparison.Ordinal);
            n = VaeProjection().Replace(n, ".$1.");
            change =
                n.EndsWith(".weight", StringComparison.Ordinal) && !n.Contains(".norm.", StringComparison.Ordinal)
                    ? TensorChange.Pointwise
                    : TensorChange.None;
        }
        n = VaeMidResnet().Replace(n, m => $"mid.block_{Number(m.Groups[1]) + 1}.");
        n = VaeDown().Replace(n, "down.$1.block.$2.");
        n = VaeDownsampler().Replace(n, "down.$1.downsample.");
        n = VaeUp().Replace(n, m => $"up.{vaeLevels - 1 - Number(m.Groups[1])}.block.{m.Groups[2].Value}.");
        n = VaeUpsampler().Replace(n, m => $"up.{vaeLevels - 1 - Number(m.Groups[1])}.upsample.");
        n = n.Replace("conv_norm_out.", "norm_out.", StringComparison.Ordinal)
            .Replace("conv_shortcut.", "nin_shortcut.", StringComparison.Ordinal);
        return new("first_stage_model." + n, change);
    }

    private static SingleFileName OpenClip(string name)
    {
        const string prefix = "conditioner.embedders.1.model.";
        switch (name)
        {
            case "text_projection.weight": return new(prefix + "text_projection", TensorChange.Transposed);
            case "text_model.embeddings.token_embedding.weight": return new(prefix + "token_embedding.weight", TensorChange.None);
            case "text_model.embeddings.position_embedding.weight": return new(prefix + "positional_embedding", TensorChange.None);
        }
        if (name.StartsWith("text_model.final_layer_norm.", StringComparison.Ordinal))
            return new(prefix + "ln_final." + name["text_model.final_layer_norm.".Length..], TensorChange.None);
        if (OpenClipLayer().Match(name) is not { Success: true } m)
            throw new ArgumentException($"'{name}' is not the name of a tensor of SDXL's second text encoder.", nameof(name));
        var layer = $"{prefix}transformer.resblocks.{m.Groups[1].Value}.";
        var rest = m.Groups[2].Value;
        return rest switch
        {
            _ when rest.StartsWith("self_attn.q_proj.", StringComparison.Ordinal) => new(
                $"{layer}attn.in_proj_{rest["self_attn.q_proj.".Length..]}",
                TensorChange.QueryThird
            ),
            _ when rest.StartsWith("self_attn.k_proj.", StringComparison.Ordinal) => new(
                $"{layer}attn.in_proj_{rest["self_attn.k_proj.".Length..]}",
                TensorChange.KeyThird
            ),
            _ when rest.StartsWith("self_attn.v_proj.", StringComparison.Ordinal) => new(
                $"{layer}attn.in_proj_{rest["self_attn.v_proj.".Length..]}",
                TensorChange.ValueThird
            ),
            _ => new(layer + Replace(rest, s_openClipLayer), TensorChange.None),
        };
    }

    /// <summary>Replaces the leading words that the table names; anything else stays.</summary>
    private static string Replace(string name, (string From, string To)[] table)
    {
        foreach (var (from, to) in table)
        {
            if (name == from || name.StartsWith(from + ".", StringComparison.Ordinal))
                return to + name[from.Length..];
        }
        return name;
    }

    private static int Number(Group group) => int.Parse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^(?<kind>down_blocks|up_blocks|mid_block)(?:\.(?<block>\d+))?\.(?<part>resnets|attentions|downsamplers|upsamplers)\.(?<index>\d+)\.(?<rest>.+)$"
    )]
    private static partial Regex UNetBlock();

    [GeneratedRegex(@"^text_model\.encoder\.layers\.(\d+)\.(.+)$")]
    private static partial Regex OpenClipLayer();

    [GeneratedRegex(@"\.to_([qkv])\.")]
    private static partial Regex VaeProjection();

    [GeneratedRegex(@"mid_block\.resnets\.(\d+)\.")]
    private static partial Regex VaeMidResnet();

    [GeneratedRegex(@"down_blocks\.(\d+)\.resnets\.(\d+)\.")]
    private static partial Regex VaeDown();

    [GeneratedRegex(@"down_blocks\.(\d+)\.downsamplers\.0\.")]
    private static partial Regex VaeDownsampler();

    [GeneratedRegex(@"up_blocks\.(\d+)\.resnets\.(\d+)\.")]
    private static partial Regex VaeUp();

    [GeneratedRegex(@"up_blocks\.(\d+)\.upsamplers\.0\.")]
    private static partial Regex VaeUpsampler();
}
