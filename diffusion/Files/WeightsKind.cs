using Sdxl.Core.Text;

namespace Sdxl.Diffusion.Files;

/// <summary>What a safetensors file of SDXL holds, as its tensors' names tell.</summary>
public enum WeightsKind
{
    /// <summary>Low-rank changes, in any format.</summary>
    Lora,

    /// <summary>A trigger word's rows for both text encoders.</summary>
    Embedding,

    /// <summary>A U-Net under diffusers' names.</summary>
    UNet,

    /// <summary>A checkpoint under Stability's names, complete or the U-Net alone.</summary>
    Checkpoint,
}

/// <summary>Tells <see cref="WeightsKind"/>s apart.</summary>
public static class WeightsKinds
{
    private static readonly string[] s_rows = ["clip_l", "text_encoders_0"];
    private static readonly string[] s_lora = [".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", ".lora_linear_layer.", "_lora.", ".lora."];

    /// <exception cref="SafetensorsException">None of the kinds: says what the first tensors are.</exception>
    public static WeightsKind Of(SafetensorsFile file)
    {
        var names = file.Entries.Keys;
        if (names.Any(s_rows.Contains))
            return WeightsKind.Embedding;
        // A LoRA's names may begin like the net's: asked first.
        if (names.Any(name => s_lora.Any(mark => name.Contains(mark, StringComparison.Ordinal))))
            return WeightsKind.Lora;
        if (names.Any(name => name.StartsWith("model.diffusion_model.", StringComparison.Ordinal)))
            return WeightsKind.Checkpoint;
        if (names.Any(name => name.StartsWith("down_blocks.", StringComparison.Ordinal) || name.StartsWith("mid_block.", StringComparison.Ordinal) || name.StartsWith("up_blocks.", StringComparison.Ordinal)))
            return WeightsKind.UNet;
        throw new SafetensorsException(
            file.Path, $"is neither a LoRA, an SDXL embedding (clip_l and clip_g), a U-Net nor a checkpoint. It holds {Plural.Of(names.Count(), "tensor")}: {string.Join(", ", names.Take(3))}{(names.Count() > 3 ? ", …" : "")}.");
    }
}
