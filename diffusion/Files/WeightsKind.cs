using Sdxl.Core.Text;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;

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
    /// <exception cref="SafetensorsException">None of the kinds, or one that is known and cannot be applied: says what the tensors
    /// are.</exception>
    public static WeightsKind Of(SafetensorsFile file)
    {
        var names = file.Entries.Keys;
        if (names.FirstOrDefault(name => TensorRole.Unsupported(name) is not null) is { } odd)
            throw new SafetensorsException(file.Path, NotApplied(TensorRole.Unsupported(odd)!, odd));
        // A LoRA's names may begin like the net's, and its file may hold embeddings too: asked first.
        if (names.Any(name => TensorRole.Of(name) is not null))
            return WeightsKind.Lora;
        if (names.Any(EmbeddingFile.IsPlainRow))
            return WeightsKind.Embedding;
        if (names.Any(name => name.StartsWith("model.diffusion_model.", StringComparison.Ordinal)))
            return WeightsKind.Checkpoint;
        if (
            names.Any(name =>
                name.StartsWith("down_blocks.", StringComparison.Ordinal)
                || name.StartsWith("mid_block.", StringComparison.Ordinal)
                || name.StartsWith("up_blocks.", StringComparison.Ordinal)
            )
        )
            return WeightsKind.UNet;
        throw new SafetensorsException(
            file.Path,
            "is neither a LoRA, an SDXL embedding (clip_l and clip_g), a U-Net nor a checkpoint. It holds "
                + $"{Plural.Of(names.Count(), "tensor")}: "
                + $"{string.Join(", ", names.Take(3))}{(names.Count() > 3 ? ", …" : "")}.{ModelFamily.Sentence(file)}"
        );
    }

    /// <summary>Names a kind of adapter that is known and not applied.</summary>
    internal static string NotApplied(string kind, string tensor) =>
        $"holds {kind}, as '{tensor}' tells, which cannot be applied. LoRA, LoCon, LoHa, LoKr and DoRA can; or merge it into a checkpoint "
            + "and give that.";
}
