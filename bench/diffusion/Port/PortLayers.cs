// The peer: what somebody would write who ports diffusers and PEFT to TorchSharp line by line, in TorchSharp's own modules. Names are the
// checkpoint's. diffusers models/attention_processor.py, attention.py, transformers/transformer_2d.py, resnet.py, downsampling.py,
// upsampling.py; peft tuners/lora/layer.py
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Bench.Diffusion.Port;

/// <summary>
/// A convolution of the product's, because TorchSharp's own computes wrongly on some processors: both sides have the same cure.
/// </summary>
internal sealed class Conv : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias;
    private readonly long[] strides, paddings;

    public Conv(long inputs, long outputs, int kernel, int stride = 1, int padding = 0) : base("Conv2d")
    {
        (weight, bias) = (new Parameter(empty(outputs, inputs, kernel, kernel)), new Parameter(empty(outputs)));
        (strides, paddings) = ([stride, stride], [padding, padding]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Sdxl.Diffusion.Nets.Convolution.Apply(x, weight, bias, strides, paddings);
}

/// <summary>A linear layer that PEFT has wrapped: base + lora_B(lora_A(x)) * scaling.</summary>
internal sealed class LoraLinear : nn.Module<Tensor, Tensor>
{
    private const double Scaling = 1;

    private readonly Parameter weight;
    private readonly Parameter? bias;
    private Linear? a, b;

    public LoraLinear(long inputs, long outputs, bool hasBias = true) : base("Linear")
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    public IEnumerable<Parameter> AddLora(long rank)
    {
        a = nn.Linear(weight.shape[1], rank, hasBias: false);
        b = nn.Linear(rank, weight.shape[0], hasBias: false);
        nn.init.zeros_(b.weight);
        return [a.weight, b.weight];
    }

    public override Tensor forward(Tensor x)
    {
        var result = F.linear(x, weight, bias);
        return a is null ? result : result + b!.forward(a.forward(x)) * Scaling;
    }
}

internal sealed class PortAttention : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly LoraLinear to_q, to_k, to_v;
    private readonly ModuleList<nn.Module<Tensor, Tensor>> to_out;
    private readonly int heads;

    public PortAttention(int width, int context, int heads) : base("Attention")
    {
        this.heads = heads;
        (to_q, to_k, to_v) = (
            new LoraLinear(width, width, false),
            new LoraLinear(context, width, false),
            new LoraLinear(context, width, false)
        );
        to_out = nn.ModuleList<nn.Module<Tensor, Tensor>>(new LoraLinear(width, width), nn.Dropout(0.0));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor context)
    {
        var (batch, width) = (x.shape[0], x.shape[2]);
        Tensor Split(Tensor t) => t.view(batch, -1, heads, width / heads).transpose(1, 2);
        var mixed = F.scaled_dot_product_attention(Split(to_q.call(x)), Split(to_k.call(context)), Split(to_v.call(context)));
        return to_out[1].call(to_out[0].call(mixed.transpose(1, 2).reshape(batch, -1, width)));
    }
}

internal sealed class GEGLU : nn.Module<Tensor, Tensor>
{
    private readonly Linear proj;

    public GEGLU(int width, int inner) : base(nameof(GEGLU))
    {
        proj = nn.Linear(width, inner * 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var halves = proj.call(x).chunk(2, -1);
        return halves[0] * F.gelu(halves[1]);
    }
}

internal sealed class PortFeedForward : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<nn.Module<Tensor, Tensor>> net;

    public PortFeedForward(int width) : base("FeedForward")
    {
        net = nn.ModuleList<nn.Module<Tensor, Tensor>>(new GEGLU(width, width * 4), nn.Dropout(0.0), nn.Linear(width * 4, width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        foreach (var part in net)
            x = part.call(x);
        return x;
    }
}

internal sealed class PortBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly LayerNorm norm1, norm2, norm3;
    private readonly PortAttention attn1, attn2;
    private readonly PortFeedForward ff;

    public PortBlock(int width, int heads, int text) : base("BasicTransformerBlock")
    {
        (norm1, norm2, norm3) = (nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width));
        (attn1, attn2, ff) = (new PortAttention(width, width, heads), new PortAttention(width, text, heads), new PortFeedForward(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor text)
    {
        var normed = norm1.call(x);
        x = attn1.call(normed, normed) + x;
        x = attn2.call(norm2.call(x), text) + x;
        return ff.call(norm3.call(x)) + x;
    }
}

internal sealed class PortTransformer : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm norm;
    private readonly Linear proj_in, proj_out;
    private readonly ModuleList<PortBlock> transformer_blocks;

    public PortTransformer(int width, int heads, int layers, int text, int groups) : base("Transformer2DModel")
    {
        norm = nn.GroupNorm(groups, width, 1e-6);
        (proj_in, proj_out) = (nn.Linear(width, width), nn.Linear(width, width));
        transformer_blocks = nn.ModuleList([.. Enumerable.Range(0, layers).Select(_ => new PortBlock(width, heads, text))]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor text)
    {
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var h = proj_in.call(norm.call(x).permute(0, 2, 3, 1).reshape(batch, height * width, channels));
        foreach (var block in transformer_blocks)
            h = block.call(h, text);
        return proj_out.call(h).reshape(batch, height, width, channels).permute(0, 3, 1, 2).contiguous() + x;
    }
}

internal sealed class PortResnet : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm norm1, norm2;
    private readonly Conv conv1, conv2;
    private readonly Conv? conv_shortcut;
    private readonly Linear time_emb_proj;

    public PortResnet(int inputs, int outputs, int timeWidth, int groups) : base("ResnetBlock2D")
    {
        (norm1, conv1) = (nn.GroupNorm(groups, inputs, 1e-5), new Conv(inputs, outputs, 3, padding: 1));
        time_emb_proj = nn.Linear(timeWidth, outputs);
        (norm2, conv2) = (nn.GroupNorm(groups, outputs, 1e-5), new Conv(outputs, outputs, 3, padding: 1));
        conv_shortcut = inputs == outputs ? null : new Conv(inputs, outputs, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor t)
    {
        var h = conv1.call(F.silu(norm1.call(x))) + time_emb_proj.call(F.silu(t)).unsqueeze(-1).unsqueeze(-1);
        h = conv2.call(F.silu(norm2.call(h)));
        return (conv_shortcut is null ? x : conv_shortcut.call(x)) + h;
    }
}

internal sealed class PortSampler : nn.Module<Tensor, Tensor>
{
    private readonly Conv conv;
    private readonly bool down;

    public PortSampler(int width, bool down) : base(down ? "Downsample2D" : "Upsample2D")
    {
        this.down = down;
        conv = new Conv(width, width, 3, down ? 2 : 1, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => conv.call(down ? x : F.interpolate(x, scale_factor: [2, 2]));
}

internal sealed class PortTimeEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear_1, linear_2;

    public PortTimeEmbedding(int inputs, int outputs) : base("TimestepEmbedding")
    {
        (linear_1, linear_2) = (nn.Linear(inputs, outputs), nn.Linear(outputs, outputs));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => linear_2.call(F.silu(linear_1.call(x)));
}
