using System.Text.Json;

namespace Sdxl.Diffusion.Nets;

/// <summary>An AutoencoderKL's config.json.</summary>
public sealed record VaeConfig
{
    public int InChannels { get; init; } = 3;
    public int OutChannels { get; init; } = 3;
    public int LatentChannels { get; init; } = 4;
    public required int[] BlockOutChannels { get; init; }
    public int LayersPerBlock { get; init; } = 2;
    public int NormGroups { get; init; } = 32;

    /// <summary>Latents are multiplied by this before they meet the U-Net (SDXL: 0.13025).</summary>
    public double ScalingFactor { get; init; } = 0.13025;

    /// <summary>Per-channel mean and deviation that some models normalise latents by; null for SDXL.</summary>
    public double[]? LatentsMean { get; init; }
    public double[]? LatentsStd { get; init; }

    /// <summary>Picture size the VAE was trained at: tiles of a large picture are this large.</summary>
    public int SampleSize { get; init; } = 1024;

    public bool MidBlockAttention { get; init; } = true;
    public bool UseQuantConv { get; init; } = true;
    public bool UsePostQuantConv { get; init; } = true;

    /// <summary>True where fp16 overflows inside (SDXL's own VAE).</summary>
    public bool ForceUpcast { get; init; } = true;

    /// <summary>Pixels along one latent (8).</summary>
    public int Downscale => 1 << (BlockOutChannels.Length - 1);

    public static VaeConfig Load(string path) => From(JsonConfig.Load(path));

    public static VaeConfig Parse(JsonElement json, string source) => From(new JsonConfig(json, source));

    private static VaeConfig From(JsonConfig json)
    {
        json.Require("act_fn", json.Text("act_fn", "silu") == "silu", "silu");
        json.Require("down_block_types", json.Texts("down_block_types").All(t => t == "DownEncoderBlock2D"), "DownEncoderBlock2D");
        json.Require("up_block_types", json.Texts("up_block_types").All(t => t == "UpDecoderBlock2D"), "UpDecoderBlock2D");
        json.Require("shift_factor", json.Double("shift_factor", 0) == 0, "null");
        return new VaeConfig
        {
            InChannels = json.Int("in_channels", 3),
            OutChannels = json.Int("out_channels", 3),
            LatentChannels = json.Int("latent_channels", 4),
            BlockOutChannels = json.Ints("block_out_channels"),
            LayersPerBlock = json.Int("layers_per_block", 1),
            NormGroups = json.Int("norm_num_groups", 32),
            ScalingFactor = json.Double("scaling_factor", 0.18215),
            LatentsMean = json.Doubles("latents_mean"),
            LatentsStd = json.Doubles("latents_std"),
            SampleSize = json.Int("sample_size", 32),
            MidBlockAttention = json.Bool("mid_block_add_attention", true),
            UseQuantConv = json.Bool("use_quant_conv", true),
            UsePostQuantConv = json.Bool("use_post_quant_conv", true),
            ForceUpcast = json.Bool("force_upcast", true),
        };
    }
}
