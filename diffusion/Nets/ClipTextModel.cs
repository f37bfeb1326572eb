// transformers src/transformers/models/clip/modeling_clip.py 4.57.1 (CLIPTextModel, CLIPTextModelWithProjection)
// B batch, T tokens (77), D width, P width of the pooled text.
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Nets;

/// <summary>What SDXL takes from a text encoder.</summary>
/// <param name="Penultimate">[B,T,D], the state before the last layer, not normalised.</param>
/// <param name="Last">[B,T,D], the last layer's state, normalised; null where it was not asked for.</param>
/// <param name="Pooled">[B,P], the projection of <paramref name="Last"/> at the first end-of-text token; null without a projection.</param>
public sealed record TextStates(Tensor Penultimate, Tensor? Last, Tensor? Pooled);

/// <summary>
/// CLIP's text tower. Pools at the first end-of-text token, also where new tokens have higher ids (transformers takes the highest id: a
/// defect for SDXL's configs).
/// </summary>
public sealed class ClipTextModel : nn.Module
{
    private readonly ClipTextTransformer text_model;
    private readonly Linear? text_projection;
    private readonly ClipTextConfig config;

    public ClipTextModel(ClipTextConfig config, Placement at) : base(nameof(ClipTextModel))
    {
        this.config = config;
        text_model = new ClipTextTransformer(config, at);
        text_projection = config.ProjectionDim is { } width ? new Linear(at, config.HiddenSize, width, hasBias: false) : null;
        RegisterComponents();
    }

    /// <summary>The configuration the net was built from.</summary>
    public ClipTextConfig Config => config;

    /// <summary>The table of token rows [V,D]: what new rows are initialised like.</summary>
    public Tensor TokenRows => text_model.Embeddings.TokenRows;

    /// <summary>Encodes texts.</summary>
    /// <param name="ids">[B,T] int64. Ids from the table's end on are rows of <paramref name="newRows"/>.</param>
    /// <param name="endOfText">The tokenizer's end-of-text id.</param>
    /// <param name="newRows">Textual inversion's rows [N,D], the only thing here that training may ask a gradient for.</param>
    /// <param name="wantLast">Compute <see cref="TextStates.Last"/> also where nothing is pooled (SDXL's first encoder does not need
    /// it).</param>
    public TextStates forward(Tensor ids, int endOfText, Tensor? newRows = null, bool wantLast = false)
    {
        using var scope = NewDisposeScope();
        var penultimate = text_model.Encoder.AllButLast(text_model.Embeddings.Embed(ids, newRows));
        if (text_projection is null && !wantLast)
            return new TextStates(penultimate.MoveToOuterDisposeScope(), null, null);
        var last = text_model.Final(text_model.Encoder.Last(penultimate)); // [B,T,D]
        var pooled = text_projection?.call(At(last, FirstPosition(ids, endOfText))).MoveToOuterDisposeScope();
        return new TextStates(penultimate.MoveToOuterDisposeScope(), last.MoveToOuterDisposeScope(), pooled);
    }

    /// <summary>
    /// Index of the first <paramref name="token"/> of each row, [B]; the last position where a row has none. Computed where the ids are: no
    /// synchronisation.
    /// </summary>
    private static Tensor FirstPosition(Tensor ids, int token)
    {
        var positions = Num(ids.shape[1]).Range(ScalarType.Int64, ids.device).unsqueeze(0).expand(ids.shape);
        var elsewhere = Num(ids.shape[1] - 1).Everywhere(ids);
        return where(ids.eq(Num(token)), positions, elsewhere).amin(1);
    }

    /// <summary>states [B,T,D] at positions [B] -> [B,D].</summary>
    private static Tensor At(Tensor states, Tensor positions) =>
        states.gather(1, positions.view(-1, 1, 1).expand(states.shape[0], 1, states.shape[2])).squeeze(1);
}

/// <summary>Embeddings, layers, final norm: the "text_model." part of the keys.</summary>
public sealed class ClipTextTransformer : nn.Module
{
    private readonly ClipTextEmbeddings embeddings;
    private readonly ClipEncoder encoder;
    private readonly LayerNorm final_layer_norm;

    internal ClipTextTransformer(ClipTextConfig config, Placement at) : base(nameof(ClipTextTransformer))
    {
        embeddings = new ClipTextEmbeddings(config, at);
        encoder = new ClipEncoder(
            at,
            config.Layers,
            config.HiddenSize,
            config.IntermediateSize,
            config.Heads,
            config.Activation,
            config.NormEpsilon,
            causal: true
        );
        final_layer_norm = new LayerNorm(at, config.HiddenSize, config.NormEpsilon);
        RegisterComponents();
    }

    internal ClipTextEmbeddings Embeddings => embeddings;

    internal ClipEncoder Encoder => encoder;

    internal Tensor Final(Tensor x) => final_layer_norm.call(x);
}

/// <summary>token row + position row. ids [B,T] -> [B,T,D].</summary>
public sealed class ClipTextEmbeddings : nn.Module
{
    private readonly Embedding token_embedding;
    private readonly Embedding position_embedding;

    internal ClipTextEmbeddings(ClipTextConfig config, Placement at) : base(nameof(ClipTextEmbeddings))
    {
        token_embedding = new Embedding(at, config.VocabularySize, config.HiddenSize);
        position_embedding = new Embedding(at, config.MaxPositions, config.HiddenSize);
        RegisterComponents();
    }

    internal Tensor TokenRows => token_embedding.Weight;

    internal Tensor Embed(Tensor ids, Tensor? newRows)
    {
        var tokens = newRows is null ? token_embedding.forward(ids) : token_embedding.forward(ids, newRows);
        return tokens.Plus(position_embedding.Weight.narrow(0, 0, ids.shape[1]));
    }
}
