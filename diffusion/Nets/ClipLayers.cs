// transformers src/transformers/models/clip/modeling_clip.py 4.57.1: what the text and the vision tower share.
// B batch, T tokens, D width, N heads.
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>Multi-head self-attention with biases everywhere; causal for text. x [B,T,D] -> the same.</summary>
public sealed class ClipAttention : nn.Module<Tensor, Tensor>
{
    private readonly Linear k_proj, v_proj, q_proj, out_proj;
    private readonly int heads;
    private readonly bool causal;

    internal ClipAttention(Placement at, int width, int heads, bool causal) : base(nameof(ClipAttention))
    {
        (this.heads, this.causal) = (heads, causal);
        k_proj = new Linear(at, width, width);
        v_proj = new Linear(at, width, width);
        q_proj = new Linear(at, width, width);
        out_proj = new Linear(at, width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        // [B,N,T,D/N]
        var mixed = F.scaled_dot_product_attention(Split(q_proj.call(x)), Split(k_proj.call(x)), Split(v_proj.call(x)), null, 0.0, causal);
        return out_proj.call(mixed.transpose(1, 2).reshape(x.shape));
    }

    private Tensor Split(Tensor projected) => projected.view(projected.shape[0], projected.shape[1], heads, -1).transpose(1, 2);
}

/// <summary>fc2(activation(fc1(x))). x [B,T,D] -> the same.</summary>
public sealed class ClipMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1, fc2;
    private readonly bool quick;

    internal ClipMlp(Placement at, int width, int inner, string activation) : base(nameof(ClipMlp))
    {
        quick = activation == "quick_gelu";
        fc1 = new Linear(at, width, inner);
        fc2 = new Linear(at, inner, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var h = fc1.call(x);
        return fc2.call(quick ? h * (h * Num(1.702)).sigmoid() : F.gelu(h));
    }
}

/// <summary>x += self_attn(layer_norm1(x)); x += mlp(layer_norm2(x)). x [B,T,D] -> the same.</summary>
public sealed class ClipEncoderLayer : nn.Module<Tensor, Tensor>
{
    private readonly ClipAttention self_attn;
    private readonly LayerNorm layer_norm1;
    private readonly ClipMlp mlp;
    private readonly LayerNorm layer_norm2;

    internal ClipEncoderLayer(Placement at, int width, int inner, int heads, string activation, double epsilon, bool causal)
        : base(nameof(ClipEncoderLayer))
    {
        self_attn = new ClipAttention(at, width, heads, causal);
        layer_norm1 = new LayerNorm(at, width, epsilon);
        mlp = new ClipMlp(at, width, inner, activation);
        layer_norm2 = new LayerNorm(at, width, epsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = x.Plus(self_attn.call(layer_norm1.call(x)));
        return x.Plus(mlp.call(layer_norm2.call(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>The stack of layers. Source: CLIPEncoder.</summary>
public sealed class ClipEncoder : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<ClipEncoderLayer> layers;

    internal ClipEncoder(Placement at, int count, int width, int inner, int heads, string activation, double epsilon, bool causal)
        : base(nameof(ClipEncoder))
    {
        layers = nn.ModuleList([
            .. Enumerable.Range(0, count).Select(_ => new ClipEncoderLayer(at, width, inner, heads, activation, epsilon, causal)),
        ]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => layers[^1].call(AllButLast(x));

    /// <summary>The state before the last layer: transformers' hidden_states[-2].</summary>
    internal Tensor AllButLast(Tensor x)
    {
        for (var i = 0; i < layers.Count - 1; i++)
            x = layers[i].call(x);
        return x;
    }

    internal Tensor Last(Tensor x) => layers[^1].call(x);
}
