using static TorchSharp.torch;

namespace Sdxl.Diffusion.Adapters;

/// <summary>What a LoRA adds to one linear layer: W' = W + Scale · Up · Down; with a magnitude (DoRA) each row of W' then gets that length.</summary>
/// <param name="Net">unet, text_encoder or text_encoder_2.</param>
/// <param name="Module">The layer's name in the diffusers net: "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q".</param>
/// <param name="Down">[r, in].</param>
/// <param name="Up">[out, r].</param>
/// <param name="Scale">alpha / r.</param>
/// <param name="Magnitude">[out], or null.</param>
public sealed record LoraLayer(string Net, string Module, Tensor Down, Tensor Up, double Scale, Tensor? Magnitude = null) : IDisposable
{
    public long Rank => Down.shape[0];

    /// <summary>Scale · Up · Down, [out, in] fp32.</summary>
    public Tensor Delta() => Up.to_type(ScalarType.Float32).matmul(Down.to_type(ScalarType.Float32)) * Num(Scale);

    /// <summary>The same change with scale 1, the factor moved into Up: what files hold in which alpha = rank everywhere.</summary>
    public LoraLayer Folded() => Scale == 1 ? this : this with { Up = Up * Num(Scale), Scale = 1 };

    public void Dispose()
    {
        Down.Dispose();
        Up.Dispose();
        Magnitude?.Dispose();
    }
}
