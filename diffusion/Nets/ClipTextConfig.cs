using System.Text.Json;

namespace Sdxl.Diffusion.Nets;

/// <summary>A CLIP text encoder's config.json.</summary>
/// <remarks>Source: transformers models/clip/configuration_clip.py. Its eos_token_id is 2 in SDXL's files, which no text contains; the
/// tokenizer knows the true one.</remarks>
public sealed record ClipTextConfig
{
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }

    /// <summary>Rows of the token table (CLIP: 49408).</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Tokens in a text (77).</summary>
    public int MaxPositions { get; init; } = 77;

    /// <summary>"quick_gelu" (x sigmoid(1.702 x)) or "gelu".</summary>
    public string Activation { get; init; } = "quick_gelu";

    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Width of the pooled text; null for an encoder without projection (SDXL's first).</summary>
    public int? ProjectionDim { get; init; }

    public static ClipTextConfig Load(string path) => From(JsonConfig.Load(path));

    /// <param name="projects">Overrides what "architectures" says, for configs that lack it.</param>
    public static ClipTextConfig Parse(JsonElement json, string source, bool? projects = null) =>
        From(new JsonConfig(json, source), projects);

    private static ClipTextConfig From(JsonConfig json, bool? projects = null)
    {
        var activation = json.Text("hidden_act", "quick_gelu");
        json.Require("hidden_act", activation is "quick_gelu" or "gelu", "quick_gelu and gelu");
        projects ??= json.Has("architectures") && json.Texts("architectures").Contains("CLIPTextModelWithProjection");
        return new ClipTextConfig
        {
            HiddenSize = json.Int("hidden_size"),
            IntermediateSize = json.Int("intermediate_size"),
            Layers = json.Int("num_hidden_layers"),
            Heads = json.Int("num_attention_heads"),
            VocabularySize = json.Int("vocab_size", 49408),
            MaxPositions = json.Int("max_position_embeddings", 77),
            Activation = activation,
            NormEpsilon = json.Double("layer_norm_eps", 1e-5),
            ProjectionDim = projects.Value ? json.Int("projection_dim", 512) : null,
        };
    }
}
