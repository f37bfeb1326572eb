// transformers src/transformers/models/clip/modeling_clip.py 4.57.1 (CLIPVisionModel)
// B batch, D width, P patches.
using System.Text.Json;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>A CLIP vision tower's "vision_config".</summary>
public sealed record ClipVisionConfig
{
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }

    /// <summary>Pixels along a side of the square input.</summary>
    public required int ImageSize { get; init; }
    public required int PatchSize { get; init; }
    public string Activation { get; init; } = "quick_gelu";
    public double NormEpsilon { get; init; } = 1e-5;

    public static ClipVisionConfig Parse(JsonElement element, string source)
    {
        var json = new JsonConfig(element, source);
        return new ClipVisionConfig
        {
            HiddenSize = json.Int("hidden_size", 768),
            IntermediateSize = json.Int("intermediate_size", 3072),
            Layers = json.Int("num_hidden_layers", 12),
            Heads = json.Int("num_attention_heads", 12),
            ImageSize = json.Int("image_size", 224),
            PatchSize = json.Int("patch_size", 32),
            Activation = json.Text("hidden_act", "quick_gelu"),
            NormEpsilon = json.Double("layer_norm_eps", 1e-5),
        };
    }
}

/// <summary>Pictures to one vector each: the class token's normalised last state. pixels [B,3,s,s], normalised -> [B,D].</summary>
public sealed class ClipVisionModel : nn.Module<Tensor, Tensor>
{
    private readonly ClipVisionTransformer vision_model;

    public ClipVisionModel(ClipVisionConfig config, Placement at) : base(nameof(ClipVisionModel))
    {
        vision_model = new ClipVisionTransformer(config, at);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels) => vision_model.call(pixels);
}

/// <summary>Patches, norm, layers, norm of the class token.</summary>
public sealed class ClipVisionTransformer : nn.Module<Tensor, Tensor>
{
    private readonly ClipVisionEmbeddings embeddings;
    private readonly LayerNorm pre_layrnorm; // the checkpoint's spelling
    private readonly ClipEncoder encoder;
    private readonly LayerNorm post_layernorm;

    internal ClipVisionTransformer(ClipVisionConfig config, Placement at) : base(nameof(ClipVisionTransformer))
    {
        embeddings = new ClipVisionEmbeddings(config, at);
        pre_layrnorm = new LayerNorm(at, config.HiddenSize, config.NormEpsilon);
        encoder = new ClipEncoder(
            at,
            config.Layers,
            config.HiddenSize,
            config.IntermediateSize,
            config.Heads,
            config.Activation,
            config.NormEpsilon,
            causal: false
        );
        post_layernorm = new LayerNorm(at, config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var states = encoder.call(pre_layrnorm.call(embeddings.call(pixels)));     // [B,1+P,D]
        return post_layernorm.call(states.select(1, 0)).MoveToOuterDisposeScope();
    }
}

/// <summary>A class token, then the patches, each plus its position's row. pixels [B,3,s,s] -> [B,1+P,D].</summary>
public sealed class ClipVisionEmbeddings : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Parameter class_embedding; // [D]
    private readonly Conv2d patch_embedding;
    private readonly Embedding position_embedding;

    internal ClipVisionEmbeddings(ClipVisionConfig config, Placement at) : base(nameof(ClipVisionEmbeddings))
    {
        var side = config.ImageSize / config.PatchSize;
        class_embedding = Weights.Allocate(at, config.HiddenSize);
        patch_embedding = new Conv2d(at, 3, config.HiddenSize, config.PatchSize, stride: config.PatchSize, hasBias: false);
        position_embedding = new Embedding(at, side * side + 1, config.HiddenSize);
        RegisterComponents();
    }

    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var patches = patch_embedding.call(pixels).flatten(2).transpose(1, 2);                  // [B,P,D]
        var first = class_embedding.view(1, 1, -1).expand(patches.shape[0], 1, patches.shape[2]);
        return cat([first, patches], 1).Plus(position_embedding.Weight).MoveToOuterDisposeScope();
    }
}
