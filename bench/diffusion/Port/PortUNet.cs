// diffusers models/unets/unet_2d_condition.py and unet_2d_blocks.py, in TorchSharp's own modules; see PortLayers.cs.
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Bench.Diffusion.Port;

/// <summary>A level of the U-Net: its parts, which the net calls in turn.</summary>
internal sealed class PortLevel : nn.Module
{
    public readonly ModuleList<PortResnet> resnets;
    public readonly ModuleList<PortTransformer>? attentions;
    public readonly ModuleList<PortSampler>? downsamplers, upsamplers;

    public PortLevel(
        IEnumerable<PortResnet> resnets,
        IEnumerable<PortTransformer>? attentions,
        PortSampler? down = null,
        PortSampler? up = null
    )
        : base("Level")
    {
        this.resnets = nn.ModuleList([.. resnets]);
        this.attentions = attentions is null ? null : nn.ModuleList([.. attentions]);
        (downsamplers, upsamplers) = (down is null ? null : nn.ModuleList(down), up is null ? null : nn.ModuleList(up));
        RegisterComponents();
    }
}

internal sealed class PortUNet : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>
{
    private readonly Conv conv_in, conv_out;
    private readonly PortTimeEmbedding time_embedding, add_embedding;
    private readonly ModuleList<PortLevel> down_blocks, up_blocks;
    private readonly PortLevel mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly int first, addWidth;

    public PortUNet(Sdxl.Diffusion.Nets.UNetConfig c) : base("UNet2DConditionModel")
    {
        var (widths, layers, levels, text, groups, time) = (
            c.BlockOutChannels,
            c.LayersPerBlock,
            c.BlockOutChannels.Length,
            c.CrossAttentionDim,
            c.NormGroups,
            c.TimeEmbedDim
        );
        (first, addWidth) = (widths[0], c.AdditionTimeEmbedDim);
        PortTransformer NewAttention(int i) => new(widths[i], c.Heads[i], c.TransformerLayersPerBlock[i], text, groups);
        IEnumerable<PortTransformer>? Attentions(string type, int i, int count) =>
            type.StartsWith("Cross", StringComparison.Ordinal) ? Enumerable.Range(0, count).Select(_ => NewAttention(i)) : null;

        conv_in = new Conv(4, first, 3, padding: 1);
        (time_embedding, add_embedding) = (new PortTimeEmbedding(first, time), new PortTimeEmbedding(c.ProjectionInputDim, time));
        down_blocks = nn.ModuleList([
            .. Enumerable
                .Range(0, levels)
                .Select(i => new PortLevel(
                    Enumerable
                        .Range(0, layers[i])
                        .Select(j => new PortResnet(j > 0 ? widths[i] : widths[Math.Max(i - 1, 0)], widths[i], time, groups)),
                    Attentions(c.DownBlockTypes[i], i, layers[i]),
                    down: i < levels - 1 ? new PortSampler(widths[i], true) : null
                )),
        ]);
        mid_block = new PortLevel(
            Enumerable.Range(0, 2).Select(_ => new PortResnet(widths[^1], widths[^1], time, groups)),
            [NewAttention(levels - 1)]
        );
        up_blocks = nn.ModuleList([
            .. Enumerable
                .Range(0, levels)
                .Select(step =>
                {
                    var i = levels - 1 - step;
                    var (below, skip, count) = (widths[Math.Min(i + 1, levels - 1)], widths[Math.Max(i - 1, 0)], layers[i] + 1);
                    return new PortLevel(
                        Enumerable
                            .Range(0, count)
                            .Select(j => new PortResnet(
                                (j == 0 ? below : widths[i]) + (j == count - 1 ? skip : widths[i]),
                                widths[i],
                                time,
                                groups
                            )),
                        Attentions(c.UpBlockTypes[step], i, count),
                        up: i > 0 ? new PortSampler(widths[i], false) : null
                    );
                }),
        ]);
        conv_norm_out = nn.GroupNorm(groups, first, 1e-5);
        conv_out = new Conv(first, 4, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor t, Tensor text, Tensor pooled, Tensor ids)
    {
        var time =
            time_embedding.call(Waves(t, first))
            + add_embedding.call(cat([pooled, Waves(ids.flatten(), addWidth).view(x.shape[0], -1)], 1));
        x = conv_in.call(x);
        var skips = new Stack<Tensor>([x]);
        foreach (var level in down_blocks)
        {
            for (var i = 0; i < level.resnets.Count; i++)
            {
                x = level.resnets[i].call(x, time);
                if (level.attentions is not null)
                    x = level.attentions[i].call(x, text);
                skips.Push(x);
            }
            if (level.downsamplers is not null)
                skips.Push(x = level.downsamplers[0].call(x));
        }
        x = mid_block.resnets[1].call(mid_block.attentions![0].call(mid_block.resnets[0].call(x, time), text), time);
        foreach (var level in up_blocks)
        {
            for (var i = 0; i < level.resnets.Count; i++)
            {
                x = level.resnets[i].call(cat([x, skips.Pop()], 1), time);
                if (level.attentions is not null)
                    x = level.attentions[i].call(x, text);
            }
            if (level.upsamplers is not null)
                x = level.upsamplers[0].call(x);
        }
        return conv_out.call(F.silu(conv_norm_out.call(x)));
    }

    private static Tensor Waves(Tensor t, int width)
    {
        var half = width / 2;
        var angles =
            t.to_type(ScalarType.Float32).unsqueeze(1) * exp(arange(half, ScalarType.Float32) * (-Math.Log(10000) / half)).unsqueeze(0);
        return cat([angles.cos(), angles.sin()], 1);
    }
}
