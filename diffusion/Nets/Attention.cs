// diffusers src/diffusers/models/attention_processor.py (Attention, AttnProcessor2_0), attention.py (BasicTransformerBlock, FeedForward)
// @58eb52c B batch, T tokens (queries), S tokens (keys), D width, N heads.
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Nets;

/// <summary>Multi-head attention: softmax(q k^T / sqrt(d)) v, then to_out.0. x [B,T,D], context [B,S,Dc] -> [B,T,D].</summary>
public sealed class Attention : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly GroupNorm? group_norm; // only in the VAE
    private readonly Linear to_q, to_k, to_v;
    private readonly TorchSharp.Modules.ModuleList<nn.Module<Tensor, Tensor>> to_out;
    private readonly int heads;
    private Kept? kept;

    internal Attention(
        Placement at,
        int width,
        int contextWidth,
        int heads,
        bool projectionBias = false,
        (int Groups, double Epsilon)? norm = null
    )
        : base(nameof(Attention))
    {
        this.heads = heads;
        group_norm = norm is { } n ? new GroupNorm(at, n.Groups, width, n.Epsilon) : null;
        to_q = new Linear(at, width, width, projectionBias);
        to_k = new Linear(at, contextWidth, width, projectionBias);
        to_v = new Linear(at, contextWidth, width, projectionBias);
        to_out = nn.ModuleList<nn.Module<Tensor, Tensor>>(new Linear(at, width, width), new Nothing());
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor context)
    {
        using var scope = NewDisposeScope();
        var (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var q = Split(to_q.call(x), batch, width);
        var (k, v) = KeysAndValues(context, batch, width);
        var mixed = F.scaled_dot_product_attention(q, k, v); // [B,N,T,D/N], in tiles: no matrix of all scores
        return to_out[0].call(mixed.transpose(1, 2).reshape(batch, tokens, width)).MoveToOuterDisposeScope();
    }

    /// <summary>The VAE's use: normalised pixels attend to each other, plus the input. x [B,C,H,W] -> the same.</summary>
    public Tensor OverPixels(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pixels = group_norm!.call(x).flatten(2).transpose(1, 2);                          // [B,H·W,C]
        var mixed = call(pixels, pixels).transpose(1, 2).reshape(x.shape);
        return x.Plus(mixed).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Keeps the keys and values of one context from call to call (the text does not change while a picture is drawn); false forgets them.
    /// </summary>
    internal void KeepContext(bool on)
    {
        kept?.Keys?.Dispose();
        kept?.Values?.Dispose();
        kept = on ? new Kept() : null;
    }

    private (Tensor Keys, Tensor Values) KeysAndValues(Tensor context, long batch, long width)
    {
        if (kept is { Keys: { } keys, Values: { } values } && ReferenceEquals(kept.Context, context))
            return (keys, values);
        var (k, v) = (Split(to_k.call(context), batch, width), Split(to_v.call(context), batch, width));
        if (kept is null || is_grad_enabled())
            return (k, v);
        KeepContext(true);
        (kept.Context, kept.Keys, kept.Values) = (
            context,
            k.contiguous().DetachFromDisposeScope(),
            v.contiguous().DetachFromDisposeScope()
        );
        return (kept.Keys, kept.Values);
    }

    private sealed class Kept // a plain object: invisible to RegisterComponents
    {
        public Tensor? Context, Keys, Values;
    }

    // [B,N,T,D/N]
    private Tensor Split(Tensor projected, long batch, long width) => projected.view(batch, -1, heads, width / heads).transpose(1, 2);
}

/// <summary>A half of the projection, times gelu of the other half. x [B,T,D] -> [B,T,inner].</summary>
public sealed class GeGlu : nn.Module<Tensor, Tensor>
{
    private readonly Linear proj;

    internal GeGlu(Placement at, int width, int inner) : base(nameof(GeGlu))
    {
        proj = new Linear(at, width, inner * 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var projected = proj.call(x);                                                         // [B,T,2·inner]
        var halves = projected.chunk(2, -1);
        return Pointwise.Multiply(F.gelu(halves[1]), halves[0]).MoveToOuterDisposeScope();
    }
}

/// <summary>net.2(geglu(x)) with an inner width of four times D. x [B,T,D] -> [B,T,D].</summary>
public sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.ModuleList<nn.Module<Tensor, Tensor>> net;

    internal FeedForward(Placement at, int width) : base(nameof(FeedForward))
    {
        net = nn.ModuleList<nn.Module<Tensor, Tensor>>(new GeGlu(at, width, width * 4), new Nothing(), new Linear(at, width * 4, width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var inner = net[0].call(x);
        return net[2].call(inner);
    }
}

/// <summary>x += attn1(norm1(x)); x += attn2(norm2(x), text); x += ff(norm3(x)). x [B,T,D], text [B,S,Dc] -> [B,T,D].</summary>
public sealed class BasicTransformerBlock : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly Attention attn1;
    private readonly LayerNorm norm2;
    private readonly Attention attn2;
    private readonly LayerNorm norm3;
    private readonly FeedForward ff;

    internal BasicTransformerBlock(Placement at, int width, int heads, int textWidth) : base(nameof(BasicTransformerBlock))
    {
        norm1 = new LayerNorm(at, width);
        attn1 = new Attention(at, width, width, heads);
        norm2 = new LayerNorm(at, width);
        attn2 = new Attention(at, width, textWidth, heads);
        norm3 = new LayerNorm(at, width);
        ff = new FeedForward(at, width);
        RegisterComponents();
    }

    /// <inheritdoc cref="Attention.KeepContext"/>
    internal void KeepText(bool on) => attn2.KeepContext(on);

    public override Tensor forward(Tensor x, Tensor text)
    {
        using var scope = NewDisposeScope();
        // Each intermediate is let go as soon as it is used (the graph keeps what it needs): the next finds its memory still in the cache.
        Tensor one, two;
        using (var normed = norm1.call(x))
        using (var mixed = attn1.call(normed, normed))
            one = x.Plus(mixed);
        using (one)
        using (var normed = norm2.call(one))
        using (var mixed = attn2.call(normed, text))
            two = one.Plus(mixed);
        using (two)
        using (var normed = norm3.call(two))
        using (var fed = ff.call(normed))
            return two.Plus(fed).MoveToOuterDisposeScope();
    }
}

/// <summary>Transformer blocks over the pixels of a feature map: x + proj_out(blocks(proj_in(norm(x)))). x [B,C,H,W] -> the same.</summary>
/// <remarks>Source: diffusers src/diffusers/models/transformers/transformer_2d.py, Transformer2DModel with use_linear_projection.</remarks>
public sealed class Transformer2DModel : nn.Module<Tensor, Tensor, Tensor>
{
    private const double NormEpsilon = 1e-6; // fixed in diffusers, whatever the U-Net's norm_eps

    private readonly GroupNorm norm;
    private readonly Linear proj_in;
    private readonly TorchSharp.Modules.ModuleList<BasicTransformerBlock> transformer_blocks;
    private readonly Linear proj_out;

    internal Transformer2DModel(Placement at, int channels, int heads, int layers, int textWidth, int groups)
        : base(nameof(Transformer2DModel))
    {
        norm = new GroupNorm(at, groups, channels, NormEpsilon);
        proj_in = new Linear(at, channels, channels);
        transformer_blocks = nn.ModuleList([
            .. Enumerable.Range(0, layers).Select(_ => new BasicTransformerBlock(at, channels, heads, textWidth)),
        ]);
        proj_out = new Linear(at, channels, channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor text)
    {
        using var scope = NewDisposeScope();
        var h = proj_in.call(norm.call(x).flatten(2).transpose(1, 2));                        // [B,H·W,C]
        foreach (var block in transformer_blocks)
        {
            using var before = h;
            h = block.call(before, text);
        }
        h = proj_out.call(h).transpose(1, 2).reshape(x.shape);                                // [B,C,H,W]
        return x.Plus(h).MoveToOuterDisposeScope();
    }
}
