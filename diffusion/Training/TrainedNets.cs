using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>The nets that a training runs. The caller owns them.</summary>
/// <param name="UNet">In the compute type for a LoRA, in fp32 for a full fine-tune.</param>
/// <param name="Text1">First text encoder (CLIP-L).</param>
/// <param name="Text2">Second text encoder (OpenCLIP bigG), which also gives the pooled text.</param>
/// <param name="EndOfText1">End-of-text id of the first tokenizer.</param>
/// <param name="EndOfText2">End-of-text id of the second.</param>
public sealed record TrainedNets(UNet2DConditionModel UNet, ClipTextModel Text1, ClipTextModel Text2, int EndOfText1, int EndOfText2)
{
    /// <summary>Texts to what the U-Net is told: states [B, 77, D1 + D2], pooled [B, P].</summary>
    /// <param name="ids1">[B, 77] for the first encoder; ids beyond its table are rows of <paramref name="rows1"/>.</param>
    public (Tensor States, Tensor Pooled) Encode(Tensor ids1, Tensor ids2, Tensor? rows1, Tensor? rows2)
    {
        using var scope = NewDisposeScope();
        var first = Text1.forward(ids1, EndOfText1, rows1);
        var second = Text2.forward(ids2, EndOfText2, rows2);
        return (cat([first.Penultimate, second.Penultimate], -1).MoveToOuterDisposeScope(), second.Pooled!.MoveToOuterDisposeScope());
    }
}
