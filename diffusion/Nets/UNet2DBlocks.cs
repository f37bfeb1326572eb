// diffusers src/diffusers/models/unets/unet_2d_blocks.py @58eb52c
// B batch, C channels, H W latent height and width at the block's level.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>
/// What every block of the U-Net is told: the time embedding [B,E] and the text states [B,T,Dc]; and whether blocks compute again in the
/// backward pass what they do not keep.
/// </summary>
internal readonly record struct Conditioning(Tensor Time, Tensor Text, bool Checkpointing = false)
{
    public Tensor Residual(ResnetBlock2D block, Tensor x) =>
        Checkpointing ? Checkpointed.Run(block!, x, Time, block.parameters().Any(p => p.requires_grad)) : block.call(x, Time);

    /// <remarks>LoRA branches are no parameters of the block: it counts as training.</remarks>
    public Tensor Attend(Transformer2DModel block, Tensor x) =>
        Checkpointing ? Checkpointed.Run(block, x, Text, trains: true) : block.call(x, Text);
}

/// <summary>One level down: residual blocks, each followed by attention to the text where the level has it, then half the size.</summary>
/// <remarks>x [B,Cin,H,W] -> [B,Cout,H/2,W/2]; every intermediate result is handed up as a skip. Source: DownBlock2D,
/// CrossAttnDownBlock2D.</remarks>
public sealed class DownBlock : nn.Module
{
    private readonly ModuleList<Transformer2DModel>? attentions;
    private readonly ModuleList<ResnetBlock2D> resnets;
    private readonly ModuleList<Downsample2D>? downsamplers;

    internal DownBlock(Placement at, UNetConfig config, int level, int inputs, bool attends, bool last) : base(nameof(DownBlock))
    {
        var width = config.BlockOutChannels[level];
        var layers = config.LayersPerBlock[level];
        attentions = attends
            ? nn.ModuleList([.. Enumerable.Range(0, layers).Select(_ => new Transformer2DModel(
                at, width, config.Heads[level], config.TransformerLayersPerBlock[level], config.CrossAttentionDim, config.NormGroups))])
            : null;
        resnets = nn.ModuleList([.. Enumerable.Range(0, layers).Select(i => new ResnetBlock2D(
            at, i == 0 ? inputs : width, width, config.TimeEmbedDim, config.NormGroups, config.NormEpsilon))]);
        downsamplers = last ? null : nn.ModuleList(new Downsample2D(at, width, config.DownsamplePadding));
        RegisterComponents();
    }

    internal Tensor Run(Tensor x, Conditioning given, List<Tensor> skips)
    {
        for (var i = 0; i < resnets.Count; i++)
        {
            x = given.Residual(resnets[i], x);
            if (attentions is not null)
                x = given.Attend(attentions[i], x);
            skips.Add(x);
        }
        if (downsamplers is not null)
            skips.Add(x = downsamplers[0].call(x));
        return x;
    }
}

/// <summary>The lowest level: residual block, attention, residual block. x [B,C,H,W] -> the same.</summary>
/// <remarks>Source: UNetMidBlock2DCrossAttn.</remarks>
public sealed class MidBlock : nn.Module
{
    private readonly ModuleList<Transformer2DModel> attentions;
    private readonly ModuleList<ResnetBlock2D> resnets;

    internal MidBlock(Placement at, UNetConfig config) : base(nameof(MidBlock))
    {
        var width = config.BlockOutChannels[^1];
        attentions = nn.ModuleList(new Transformer2DModel(
            at, width, config.Heads[^1], config.TransformerLayersPerBlock[^1], config.CrossAttentionDim, config.NormGroups));
        resnets = nn.ModuleList([.. Enumerable.Range(0, 2).Select(_ => new ResnetBlock2D(
            at, width, width, config.TimeEmbedDim, config.NormGroups, config.NormEpsilon, config.MidBlockScaleFactor))]);
        RegisterComponents();
    }

    internal Tensor Run(Tensor x, Conditioning given)
    {
        x = given.Residual(resnets[0], x);
        x = given.Attend(attentions[0], x);
        return given.Residual(resnets[1], x);
    }
}

/// <summary>One level up: each residual block takes a skip of the way down beside its input; then twice the size.</summary>
/// <remarks>x [B,Cin,H,W] -> [B,Cout,2H,2W] (or the next skip's size where that is odd). Source: UpBlock2D, CrossAttnUpBlock2D.</remarks>
public sealed class UpBlock : nn.Module
{
    private readonly ModuleList<Transformer2DModel>? attentions;
    private readonly ModuleList<ResnetBlock2D> resnets;
    private readonly ModuleList<Upsample2D>? upsamplers;

    /// <param name="step">0 is the lowest level.</param>
    /// <param name="level">The down level of the same size.</param>
    internal UpBlock(Placement at, UNetConfig config, int step, int level, bool attends, bool last) : base(nameof(UpBlock))
    {
        var widths = config.BlockOutChannels;
        var width = widths[level];
        var before = widths[Math.Min(level + 1, widths.Length - 1)];  // width of what comes from below
        var skipOfLast = widths[Math.Max(level - 1, 0)];              // the level's first skip is the output of the level above
        var layers = config.LayersPerBlock[level] + 1;
        attentions = attends
            ? nn.ModuleList([.. Enumerable.Range(0, layers).Select(_ => new Transformer2DModel(
                at, width, config.Heads[level], config.UpTransformerLayersPerBlock[step], config.CrossAttentionDim, config.NormGroups))])
            : null;
        resnets = nn.ModuleList([
            .. Enumerable
                .Range(0, layers)
                .Select(i => new ResnetBlock2D(
                    at,
                    (i == 0 ? before : width) + (i == layers - 1 ? skipOfLast : width),
                    width,
                    config.TimeEmbedDim,
                    config.NormGroups,
                    config.NormEpsilon
                )),
        ]);
        upsamplers = last ? null : nn.ModuleList(new Upsample2D(at, width));
        RegisterComponents();
    }

    internal Tensor Run(Tensor x, Conditioning given, Stack<Tensor> skips)
    {
        for (var i = 0; i < resnets.Count; i++)
        {
            using var skip = skips.Pop();
            using var joined = cat([x, skip], 1);
            x = given.Residual(resnets[i], joined);
            if (attentions is not null)
                x = given.Attend(attentions[i], x);
        }
        if (upsamplers is null)
            return x;
        var next = skips.Peek().shape;
        return upsamplers[0].call(x, (next[2], next[3]));
    }
}
