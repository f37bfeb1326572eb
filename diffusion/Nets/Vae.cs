// diffusers src/diffusers/models/autoencoders/vae.py and the encoder and decoder blocks of models/unets/unet_2d_blocks.py @58eb52c
// B batch, C channels, H W height and width of the feature map.
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>Residual blocks, then half the size except at the last level. Source: DownEncoderBlock2D.</summary>
public sealed class DownEncoderBlock2D : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock2D> resnets;
    private readonly ModuleList<Downsample2D>? downsamplers;

    internal DownEncoderBlock2D(Placement at, VaeConfig config, int inputs, int width, bool last) : base(nameof(DownEncoderBlock2D))
    {
        resnets = nn.ModuleList([.. Enumerable.Range(0, config.LayersPerBlock).Select(i => new ResnetBlock2D(
            at, i == 0 ? inputs : width, width, null, config.NormGroups, AutoencoderKL.NormEpsilon))]);
        downsamplers = last ? null : nn.ModuleList(new Downsample2D(at, width, padding: 0));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var resnet in resnets)
            x = resnet.call(x, null);
        return (downsamplers is null ? x : downsamplers[0].call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual blocks, then twice the size except at the last level. Source: UpDecoderBlock2D.</summary>
public sealed class UpDecoderBlock2D : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock2D> resnets;
    private readonly ModuleList<Upsample2D>? upsamplers;

    internal UpDecoderBlock2D(Placement at, VaeConfig config, int inputs, int width, bool last) : base(nameof(UpDecoderBlock2D))
    {
        resnets = nn.ModuleList([.. Enumerable.Range(0, config.LayersPerBlock + 1).Select(i => new ResnetBlock2D(
            at, i == 0 ? inputs : width, width, null, config.NormGroups, AutoencoderKL.NormEpsilon))]);
        upsamplers = last ? null : nn.ModuleList(new Upsample2D(at, width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        foreach (var resnet in resnets)
            x = resnet.call(x, null);
        return (upsamplers is null ? x : upsamplers[0].call(x, null)).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual block, attention over the pixels (one head), residual block. Source: UNetMidBlock2D.</summary>
public sealed class VaeMidBlock : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Attention>? attentions;
    private readonly ModuleList<ResnetBlock2D> resnets;

    internal VaeMidBlock(Placement at, VaeConfig config) : base(nameof(VaeMidBlock))
    {
        var width = config.BlockOutChannels[^1];
        attentions = config.MidBlockAttention
            ? nn.ModuleList(new Attention(at, width, width, 1, projectionBias: true, norm: (config.NormGroups, AutoencoderKL.NormEpsilon)))
            : null;
        resnets = nn.ModuleList([
            .. Enumerable.Range(0, 2).Select(_ => new ResnetBlock2D(at, width, width, null, config.NormGroups, AutoencoderKL.NormEpsilon)),
        ]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = resnets[0].call(x, null);
        if (attentions is not null)
            x = attentions[0].OverPixels(x);
        return resnets[1].call(x, null).MoveToOuterDisposeScope();
    }
}

/// <summary>Picture to moments. x [B,3,8H,8W] in -1..1 -> [B,8,H,W].</summary>
public sealed class VaeEncoder : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<DownEncoderBlock2D> down_blocks;
    private readonly VaeMidBlock mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    internal VaeEncoder(Placement at, VaeConfig config) : base(nameof(VaeEncoder))
    {
        var widths = config.BlockOutChannels;
        conv_in = new Conv2d(at, config.InChannels, widths[0], 3, padding: 1);
        down_blocks = nn.ModuleList([.. Enumerable.Range(0, widths.Length).Select(i => new DownEncoderBlock2D(
            at, config, widths[Math.Max(i - 1, 0)], widths[i], i == widths.Length - 1))]);
        mid_block = new VaeMidBlock(at, config);
        conv_norm_out = new GroupNorm(at, config.NormGroups, widths[^1], AutoencoderKL.NormEpsilon);
        conv_out = new Conv2d(at, widths[^1], config.LatentChannels * 2, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = conv_in.call(x);
        foreach (var block in down_blocks)
            x = block.call(x);
        x = mid_block.call(x);
        return conv_out.call(Pointwise.Silu(conv_norm_out.call(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Latents to picture. z [B,4,H,W] -> [B,3,8H,8W], about -1..1.</summary>
public sealed class VaeDecoder : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<UpDecoderBlock2D> up_blocks;
    private readonly VaeMidBlock mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    internal VaeDecoder(Placement at, VaeConfig config) : base(nameof(VaeDecoder))
    {
        int[] widths = [.. config.BlockOutChannels.Reverse()];
        conv_in = new Conv2d(at, config.LatentChannels, widths[0], 3, padding: 1);
        up_blocks = nn.ModuleList([.. Enumerable.Range(0, widths.Length).Select(i => new UpDecoderBlock2D(
            at, config, widths[Math.Max(i - 1, 0)], widths[i], i == widths.Length - 1))]);
        mid_block = new VaeMidBlock(at, config);
        conv_norm_out = new GroupNorm(at, config.NormGroups, widths[^1], AutoencoderKL.NormEpsilon);
        conv_out = new Conv2d(at, widths[^1], config.OutChannels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor z)
    {
        using var scope = NewDisposeScope();
        var x = mid_block.call(conv_in.call(z));
        foreach (var block in up_blocks)
            x = block.call(x);
        return conv_out.call(Pointwise.Silu(conv_norm_out.call(x))).MoveToOuterDisposeScope();
    }
}
