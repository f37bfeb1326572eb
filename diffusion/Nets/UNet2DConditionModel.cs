// diffusers src/diffusers/models/unets/unet_2d_condition.py @58eb52c
// B batch, C channels, H W latent height and width (pixels = 8x), T tokens, Dc text width.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>SDXL's denoiser: what noise (or velocity) is in the latents, given the time, the text and the picture's sizes.</summary>
/// <remarks>sample [B,4,H,W], timestep [B] (0..999, fractions allowed), text [B,T,Dc], pooled text [B,P], time ids [B,6] (refiner: 5) ->
/// [B,4,H,W].</remarks>
public sealed class UNet2DConditionModel : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly TimestepEmbedding time_embedding;
    private readonly TimestepEmbedding add_embedding;
    private readonly ModuleList<DownBlock> down_blocks;
    private readonly ModuleList<UpBlock> up_blocks;
    private readonly MidBlock mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;
    private readonly UNetConfig config;
    private Action<string, Tensor>? observer;

    public UNet2DConditionModel(UNetConfig config, Placement at) : base(nameof(UNet2DConditionModel))
    {
        this.config = config;
        var widths = config.BlockOutChannels;
        var levels = widths.Length;
        conv_in = new Conv2d(at, config.InChannels, widths[0], 3, padding: 1);
        time_embedding = new TimestepEmbedding(at, widths[0], config.TimeEmbedDim);
        add_embedding = new TimestepEmbedding(at, config.ProjectionInputDim, config.TimeEmbedDim);
        down_blocks = nn.ModuleList([
            .. Enumerable
                .Range(0, levels)
                .Select(i => new DownBlock(
                    at,
                    config,
                    i,
                    i == 0 ? widths[0] : widths[i - 1],
                    Attends(config.DownBlockTypes, i, "CrossAttnDownBlock2D", "DownBlock2D"),
                    i == levels - 1
                )),
        ]);
        up_blocks = nn.ModuleList([
            .. Enumerable
                .Range(0, levels)
                .Select(i => new UpBlock(
                    at,
                    config,
                    i,
                    levels - 1 - i,
                    Attends(config.UpBlockTypes, i, "CrossAttnUpBlock2D", "UpBlock2D"),
                    i == levels - 1
                )),
        ]);
        mid_block = new MidBlock(at, config);
        conv_norm_out = new GroupNorm(at, config.NormGroups, widths[0], config.NormEpsilon);
        conv_out = new Conv2d(at, widths[0], config.OutChannels, 3, padding: 1);
        RegisterComponents();
    }

    /// <summary>The configuration the net was built from.</summary>
    public UNetConfig Config => config;

    /// <summary>
    /// Shows the output of each part under its checkpoint name ("conv_in", "down_blocks.0", …); null stops. For tests that look for where
    /// two implementations part.
    /// </summary>
    public void Observe(Action<string, Tensor>? shown) => observer = shown;

    /// <summary>Trade time for memory in training: blocks keep only their inputs and compute the rest again in the backward pass.</summary>
    public bool Checkpointing { get; set; }

    /// <summary>
    /// While on, cross-attention keeps its keys and values for as long as the same text tensor comes: a tenth of a step's work less.
    /// Weights and adapters must not change meanwhile; false forgets everything. Has no effect where gradients are recorded.
    /// </summary>
    public void KeepText(bool on)
    {
        foreach (var (_, module) in named_modules())
            (module as BasicTransformerBlock)?.KeepText(on);
    }

    /// <returns>The prediction in the type of <paramref name="sample"/>.</returns>
    public override Tensor forward(Tensor sample, Tensor timestep, Tensor text, Tensor pooledText, Tensor timeIds)
    {
        using var scope = NewDisposeScope();
        var given = new Conditioning(EmbedTime(timestep, pooledText, timeIds, sample.dtype), text, Checkpointing);
        var x = Show("conv_in", conv_in.call(sample));
        var skips = new List<Tensor> { x };
        for (var i = 0; i < down_blocks.Count; i++)
            x = Show($"down_blocks.{i}", down_blocks[i].Run(x, given, skips));
        x = Show("mid_block", mid_block.Run(x, given));
        var left = new Stack<Tensor>(skips);
        for (var i = 0; i < up_blocks.Count; i++)
            x = Show($"up_blocks.{i}", up_blocks[i].Run(x, given, left));
        x = conv_out.call(Pointwise.Silu(conv_norm_out.call(x)));
        return x.MoveToOuterDisposeScope();
    }

    private Tensor EmbedTime(Tensor timestep, Tensor pooledText, Tensor timeIds, ScalarType dtype)
    {
        var waves = Timesteps.Embed(timestep, config.BlockOutChannels[0], config.FlipSinToCos, config.FreqShift);
        var time = Show("time_embedding", time_embedding.call(waves.to_type(dtype)));                                 // [B,E]
        var sizes = Timesteps.Embed(timeIds.flatten(), config.AdditionTimeEmbedDim, config.FlipSinToCos, config.FreqShift)
            .view(timeIds.shape[0], -1);                                                                              // [B,6·256]
        var added = cat([pooledText.to_type(dtype), sizes.to_type(dtype)], 1);                                        // [B,2816]
        return time.Plus(Show("add_embedding", add_embedding.call(added)));
    }

    private Tensor Show(string name, Tensor value)
    {
        observer?.Invoke(name, value);
        return value;
    }

    private static bool Attends(string[] types, int index, string with, string without) => types[index] == with
        || (types[index] == without ? false
        : throw new NotSupportedException($"U-Net block {index} is of type '{types[index]}'; SDXL has only '{with}' and '{without}'."));
}
