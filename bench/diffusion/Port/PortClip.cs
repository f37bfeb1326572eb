// transformers models/clip/modeling_clip.py, in TorchSharp's own modules; see PortLayers.cs.
using TorchSharp.Modules;
using ClipTextConfig = Sdxl.Diffusion.Nets.ClipTextConfig;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Bench.Diffusion.Port;

internal sealed class PortClipAttention : nn.Module<Tensor, Tensor>
{
    private readonly Linear q_proj, k_proj, v_proj, out_proj;
    private readonly int heads;

    public PortClipAttention(int width, int heads) : base("CLIPAttention")
    {
        this.heads = heads;
        (q_proj, k_proj, v_proj, out_proj) = (
            nn.Linear(width, width),
            nn.Linear(width, width),
            nn.Linear(width, width),
            nn.Linear(width, width)
        );
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Tensor Split(Tensor t) => t.view(x.shape[0], -1, heads, x.shape[2] / heads).transpose(1, 2);
        var mixed = F.scaled_dot_product_attention(Split(q_proj.call(x)), Split(k_proj.call(x)), Split(v_proj.call(x)), is_casual: true);
        return out_proj.call(mixed.transpose(1, 2).reshape(x.shape));
    }
}

internal sealed class PortClipMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1, fc2;
    private readonly bool quick;

    public PortClipMlp(int width, int inner, bool quick) : base("CLIPMLP")
    {
        this.quick = quick;
        (fc1, fc2) = (nn.Linear(width, inner), nn.Linear(inner, width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var h = fc1.call(x);
        return fc2.call(quick ? h * sigmoid(h * 1.702) : F.gelu(h));
    }
}

internal sealed class PortClipLayer : nn.Module<Tensor, Tensor>
{
    private readonly PortClipAttention self_attn;
    private readonly LayerNorm layer_norm1, layer_norm2;
    private readonly PortClipMlp mlp;

    public PortClipLayer(ClipTextConfig c) : base("CLIPEncoderLayer")
    {
        self_attn = new PortClipAttention(c.HiddenSize, c.Heads);
        (layer_norm1, layer_norm2) = (nn.LayerNorm(c.HiddenSize), nn.LayerNorm(c.HiddenSize));
        mlp = new PortClipMlp(c.HiddenSize, c.IntermediateSize, c.Activation == "quick_gelu");
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = x + self_attn.call(layer_norm1.call(x));
        return x + mlp.call(layer_norm2.call(x));
    }
}

/// <summary>The "text_model." part of the keys.</summary>
internal sealed class PortClipText : nn.Module
{
    public readonly PortClipEmbeddings embeddings;
    public readonly PortClipEncoder encoder;
    public readonly LayerNorm final_layer_norm;

    public PortClipText(ClipTextConfig c) : base("CLIPTextTransformer")
    {
        (embeddings, encoder, final_layer_norm) = (new PortClipEmbeddings(c), new PortClipEncoder(c), nn.LayerNorm(c.HiddenSize));
        RegisterComponents();
    }
}

internal sealed class PortClipEmbeddings : nn.Module
{
    public readonly Embedding token_embedding, position_embedding;

    public PortClipEmbeddings(ClipTextConfig c) : base("CLIPTextEmbeddings")
    {
        (token_embedding, position_embedding) = (nn.Embedding(c.VocabularySize, c.HiddenSize), nn.Embedding(c.MaxPositions, c.HiddenSize));
        RegisterComponents();
    }
}

internal sealed class PortClipEncoder : nn.Module
{
    public readonly ModuleList<PortClipLayer> layers;

    public PortClipEncoder(ClipTextConfig c) : base("CLIPEncoder")
    {
        layers = nn.ModuleList([.. Enumerable.Range(0, c.Layers).Select(_ => new PortClipLayer(c))]);
        RegisterComponents();
    }
}

/// <summary>A text encoder; the trigger word's vectors are rows beside the table.</summary>
internal sealed class PortClip : nn.Module
{
    private readonly PortClipText text_model;
    private readonly Linear? text_projection;
    private readonly int vocabulary;

    public PortClip(ClipTextConfig c) : base("CLIPTextModel")
    {
        vocabulary = c.VocabularySize;
        text_model = new PortClipText(c);
        text_projection = c.ProjectionDim is { } width ? nn.Linear(c.HiddenSize, width, hasBias: false) : null;
        RegisterComponents();
    }

    /// <summary>
    /// ids [B,T] -> hidden_states[-2] [B,T,D], and the pooled text of the token at <paramref name="end"/> where the encoder has a
    /// projection.
    /// </summary>
    public (Tensor States, Tensor? Pooled) Encode(Tensor ids, Embedding rows, int end)
    {
        var (known, added) = (
            text_model.embeddings.token_embedding.call(ids.clamp_max(vocabulary - 1)),
            rows.call((ids - vocabulary).clamp_min(0))
        );
        var x = where(ids.ge(vocabulary).unsqueeze(-1), added, known) + text_model.embeddings.position_embedding.weight!;
        var layers = text_model.encoder.layers;
        for (var i = 0; i < layers.Count - 1; i++)
            x = layers[i].call(x);
        if (text_projection is null)
            return (x, null);
        var last = text_model.final_layer_norm.call(layers[^1].call(x));
        return (x, text_projection.call(last.select(1, end)));
    }
}
