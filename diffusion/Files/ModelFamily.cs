using System.Text.RegularExpressions;

namespace Sdxl.Diffusion.Files;

/// <summary>
/// Which family of models a file of weights was made for, as its names, shapes and header tell; asked where it does not fit.
/// </summary>
public static partial class ModelFamily
{
    // Widths of the text that the U-Net's cross-attention reads.
    private const long TextOfSd1 = 768, TextOfSd2 = 1024, TextOfRefiner = 1280, TextOfSdxl = 2048;

    private const string Sd1 = "Stable Diffusion 1.x (SD 1.5)", Sd2 = "Stable Diffusion 2.x (SD 2)", Sd3 = "Stable Diffusion 3 (SD3)";
    private const string Sd1Or2 = "Stable Diffusion 1.x or 2.x (SD 1.5, SD 2)";

    // Layers that only their U-Nets have: attention at the outermost level, a fourth level on the way up.
    private static readonly string[] s_onlySd1Or2 =
        ["down_blocks.0.attentions", "down_blocks_0_attentions", "up_blocks.3.", "up_blocks_3_", "input_blocks.1.1.", "input_blocks_1_1_",
            "output_blocks.9.", "output_blocks_9_"];

    // What headers say (ss_base_model_version, modelspec.architecture), and the families' names.
    private static readonly (string Word, string Family)[] s_said =
    [
        ("sd_v1", Sd1), ("stable-diffusion-v1", Sd1), ("sd_1.5", Sd1),
        ("sd_v2", Sd2), ("stable-diffusion-v2", Sd2),
        ("sd3", Sd3), ("stable-diffusion-3", Sd3), ("stable-diffusion-v3", Sd3),
        ("flux", "Flux"), ("chroma", "Chroma"), ("qwen", "Qwen-Image"), ("wan", "Wan"), ("hunyuan", "Hunyuan"), ("lumina", "Lumina"),
            ("z-image", "Z-Image"),
        ("pixart", "PixArt"), ("kolors", "Kolors"), ("cascade", "Stable Cascade"), ("auraflow", "AuraFlow"),
        ("sdxl", "SDXL"), ("stable-diffusion-xl", "SDXL"),
    ];

    /// <summary>For example "Flux"; null where nothing tells.</summary>
    public static string? Of(SafetensorsFile file) => OfShapes(file) ?? OfNames(file.Entries.Keys) ?? OfHeader(file.Metadata);

    /// <summary>A sentence for an error: what the file was made for, and what to do; empty where nothing tells.</summary>
    public static string Sentence(SafetensorsFile file) => Of(file) switch
    {
        null => "",
        "SDXL" => " It was made for SDXL in its full size.",
        var family => $" It was made for {family}, and this service draws with SDXL. Use weights that were made for SDXL.",
    };

    private static string? OfShapes(SafetensorsFile file) =>
        file.Entries.Values.Where(e => e.Shape.Length >= 2 && CrossAttention().IsMatch(e.Name)).Select(e => e.Shape[1] switch
        {
            TextOfSd1 => Sd1,
            TextOfSd2 => Sd2,
            TextOfRefiner => "SDXL's refiner",
            TextOfSdxl => "SDXL",
            _ => null,
        }).FirstOrDefault(family => family is not null);

    private static string? OfNames(IEnumerable<string> all)
    {
        var names = all.ToList();
        bool Any(params string[] parts) => names.Exists(name => parts.All(part => name.Contains(part, StringComparison.Ordinal)));
        return Any("transformer_blocks", "img_mod") || Any("transformer_blocks", "img_mlp") ? "Qwen-Image"
            : Any("single_transformer_blocks") || Any("single_blocks") || Any("double_blocks") ? "Flux"
            : Any("joint_blocks") || Any("transformer_blocks", "add_k_proj") || Any("transformer_blocks", "add_q_proj")
                ? Sd3
            : Any("lora_prior_unet") ? "Stable Cascade"
            : Any("blocks.0.cross_attn") || Any("blocks_0_cross_attn") ? "Wan"
            : names.Exists(name => name.StartsWith("transformer.", StringComparison.Ordinal)
                || name.StartsWith("lora_transformer_", StringComparison.Ordinal)) ? "a model with a transformer in the U-Net's place"
            : Any("lora_te_text_model") || Any("cond_stage_model.") || names is ["emb_params"]
                || Array.Exists(s_onlySd1Or2, part => Any(part)) ? Sd1Or2
            : null;
    }

    private static string? OfHeader(IReadOnlyDictionary<string, string> metadata)
    {
        var said = string.Join(' ', new[] { "ss_base_model_version", "modelspec.architecture" }
            .Select(key => metadata.GetValueOrDefault(key, ""))).ToLowerInvariant();
        return Array.Find(s_said, s => said.Contains(s.Word, StringComparison.Ordinal)).Family;
    }

    [GeneratedRegex(@"attn2[._](?:processor\.)?to_[kv](?:_lora)?\.(?:.*\b(?:down|lora_down|lora_A|hada_w1_b)\b.*|weight)$",
        RegexOptions.CultureInvariant)]
    private static partial Regex CrossAttention();
}
