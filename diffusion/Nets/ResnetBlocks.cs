// diffusers src/diffusers/models/resnet.py, downsampling.py, upsampling.py @58eb52c
// B batch, C channels, H W height and width of the feature map.
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>h = conv2(silu(norm2(conv1(silu(norm1(x))) + time_emb_proj(silu(t))))); returns (shortcut(x) + h) / scale.</summary>
/// <remarks>x [B,Cin,H,W], t [B,E] or null (VAE) -> [B,Cout,H,W]. Source: ResnetBlock2D.</remarks>
public sealed class ResnetBlock2D : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly Linear? time_emb_proj;
    private readonly GroupNorm norm2;
    private readonly Conv2d conv2;
    private readonly Conv2d? conv_shortcut;
    private readonly double outputScale;

    internal ResnetBlock2D(Placement at, int inputs, int outputs, int? timeWidth, int groups, double epsilon, double outputScale = 1)
        : base(nameof(ResnetBlock2D))
    {
        this.outputScale = outputScale;
        norm1 = new GroupNorm(at, groups, inputs, epsilon);
        conv1 = new Conv2d(at, inputs, outputs, 3, padding: 1);
        time_emb_proj = timeWidth is { } width ? new Linear(at, width, outputs) : null;
        norm2 = new GroupNorm(at, groups, outputs, epsilon);
        conv2 = new Conv2d(at, outputs, outputs, 3, padding: 1);
        conv_shortcut = inputs == outputs ? null : new Conv2d(at, inputs, outputs, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor? t)
    {
        using var scope = NewDisposeScope();
        var h = conv1.call(Pointwise.Silu(norm1.call(x)));                            // [B,Cout,H,W]
        if (time_emb_proj is not null && t is not null)
            h = Pointwise.Add(h, time_emb_proj.call(F.silu(t)).unsqueeze(-1).unsqueeze(-1)); // [B,Cout,1,1] spreads over H,W
        h = conv2.call(Pointwise.Silu(norm2.call(h)));
        h = Pointwise.Add(h, conv_shortcut is null ? x : conv_shortcut.call(x));
        return (outputScale == 1 ? h : h / Num(outputScale)).MoveToOuterDisposeScope();
    }
}

/// <summary>Halves height and width by a 3x3 convolution with stride 2. x [B,C,H,W] -> [B,C,H/2,W/2].</summary>
/// <remarks>With padding 0 (the VAE's encoder) the picture is padded by one at the right and at the bottom only.</remarks>
public sealed class Downsample2D : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly bool padRightBottom;

    internal Downsample2D(Placement at, int channels, int padding) : base(nameof(Downsample2D))
    {
        padRightBottom = padding == 0;
        conv = new Conv2d(at, channels, channels, 3, stride: 2, padding: padding);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (!padRightBottom)
            return conv.call(x);
        using var padded = F.pad(x, (0, 1, 0, 1));
        return conv.call(padded);
    }
}

/// <summary>Repeats every pixel to the size wanted (default: twice), then a 3x3 convolution. x [B,C,H,W] -> [B,C,H',W'].</summary>
public sealed class Upsample2D : nn.Module<Tensor, (long Height, long Width)?, Tensor>
{
    private readonly Conv2d conv;

    internal Upsample2D(Placement at, int channels) : base(nameof(Upsample2D))
    {
        conv = new Conv2d(at, channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, (long Height, long Width)? size)
    {
        var (height, width) = size ?? (x.shape[2] * 2, x.shape[3] * 2);
        using var larger = F.interpolate(x, [height, width]);
        return conv.call(larger);
    }
}
