using System.Text.Json;

namespace Sdxl.Diffusion.Nets;

/// <summary>What a U-Net's config.json decides: any widths, depths and heads in SDXL's architecture, base or refiner.</summary>
/// <remarks>Source: diffusers models/unets/unet_2d_condition.py, UNet2DConditionModel.__init__. Lists have one entry for each level,
/// outermost first.</remarks>
public sealed record UNetConfig
{
    public int InChannels { get; init; } = 4;
    public int OutChannels { get; init; } = 4;

    /// <summary>Latent height and width the model was trained at (SDXL: 128, pictures of 1024).</summary>
    public int SampleSize { get; init; } = 128;

    public required string[] DownBlockTypes { get; init; }
    public required string[] UpBlockTypes { get; init; }
    public required int[] BlockOutChannels { get; init; }
    public required int[] LayersPerBlock { get; init; }

    /// <summary>Transformer blocks in each attention, by down level; the middle takes the last.</summary>
    public required int[] TransformerLayersPerBlock { get; init; }

    /// <summary>The same for the up levels, outermost level last; usually the down list reversed.</summary>
    public required int[] UpTransformerLayersPerBlock { get; init; }

    /// <summary>Heads by level. diffusers calls this attention_head_dim for historical reasons.</summary>
    public required int[] Heads { get; init; }

    public required int CrossAttentionDim { get; init; }
    public required int AdditionTimeEmbedDim { get; init; }

    /// <summary>Width of pooled text + embedded time ids (SDXL 2816 = 1280 + 6 x 256; refiner 2560 = 1280 + 5 x 256).</summary>
    public required int ProjectionInputDim { get; init; }

    public int NormGroups { get; init; } = 32;
    public double NormEpsilon { get; init; } = 1e-5;
    public bool FlipSinToCos { get; init; } = true;
    public double FreqShift { get; init; }
    public int DownsamplePadding { get; init; } = 1;
    public double MidBlockScaleFactor { get; init; } = 1;

    /// <summary>Width of the time embedding.</summary>
    public int TimeEmbedDim => BlockOutChannels[0] * 4;

    public static UNetConfig Load(string path) => From(JsonConfig.Load(path));

    public static UNetConfig Parse(JsonElement json, string source) => From(new JsonConfig(json, source));

    private static UNetConfig From(JsonConfig json)
    {
        var widths = json.Ints("block_out_channels");
        var levels = widths.Length;
        json.Require("act_fn", json.Text("act_fn", "silu") == "silu", "silu");
        json.Require("addition_embed_type", json.Text("addition_embed_type", "") == "text_time", "text_time");
        json.Require(
            "mid_block_type",
            json.Text("mid_block_type", "UNetMidBlock2DCrossAttn") == "UNetMidBlock2DCrossAttn",
            "UNetMidBlock2DCrossAttn"
        );
        json.Require("use_linear_projection", json.Bool("use_linear_projection", false), "true");
        json.Require("resnet_time_scale_shift", json.Text("resnet_time_scale_shift", "default") == "default", "default");
        json.Require("time_embedding_type", json.Text("time_embedding_type", "positional") == "positional", "positional");
        json.Require("conv_in_kernel", json.Int("conv_in_kernel", 3) == 3, "3");
        json.Require("conv_out_kernel", json.Int("conv_out_kernel", 3) == 3, "3");
        foreach (
            var absent in new[]
            {
                "class_embed_type",
                "num_class_embeds",
                "encoder_hid_dim",
                "encoder_hid_dim_type",
                "time_cond_proj_dim",
                "time_embedding_act_fn",
                "timestep_post_act",
                "cross_attention_norm",
            }
        )
            json.Require(absent, !json.Has(absent), "null");
        foreach (
            var off in new[]
            {
                "dual_cross_attention",
                "only_cross_attention",
                "resnet_skip_time_act",
                "center_input_sample",
                "class_embeddings_concat",
            }
        )
            json.Require(off, !json.Bool(off, false), "false");
        var transformerLayers = json.IntPerBlock("transformer_layers_per_block", levels, 1);
        return new UNetConfig
        {
            InChannels = json.Int("in_channels", 4),
            OutChannels = json.Int("out_channels", 4),
            SampleSize = json.Int("sample_size", 128),
            DownBlockTypes = json.Texts("down_block_types"),
            UpBlockTypes = json.Texts("up_block_types"),
            BlockOutChannels = widths,
            LayersPerBlock = json.IntPerBlock("layers_per_block", levels, 2),
            TransformerLayersPerBlock = transformerLayers,
            UpTransformerLayersPerBlock = json.Has("reverse_transformer_layers_per_block")
                ? json.IntPerBlock("reverse_transformer_layers_per_block", levels)
                : [.. transformerLayers.Reverse()],
            Heads = json.IntPerBlock(json.Has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", levels, 8),
            CrossAttentionDim = json.Int("cross_attention_dim"),
            AdditionTimeEmbedDim = json.Int("addition_time_embed_dim"),
            ProjectionInputDim = json.Int("projection_class_embeddings_input_dim"),
            NormGroups = json.Int("norm_num_groups", 32),
            NormEpsilon = json.Double("norm_eps", 1e-5),
            FlipSinToCos = json.Bool("flip_sin_to_cos", true),
            FreqShift = json.Double("freq_shift", 0),
            DownsamplePadding = json.Int("downsample_padding", 1),
            MidBlockScaleFactor = json.Double("mid_block_scale_factor", 1),
        };
    }
}
