using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// All a step needs of the data set, in memory on the training's device. n pictures, latents of C channels (4) and h x w.
/// </summary>
/// <param name="LatentMean">[n, C, h, w] fp32: means of the VAE's posterior, scaled as the U-Net wants them.</param>
/// <param name="LatentDeviation">[n, C, h, w] fp32: its standard deviations, scaled likewise.</param>
/// <param name="Mask">[n, 1, h, w] fp32, 0..1: how much each latent pixel counts; no sample is 0 everywhere.</param>
/// <param name="TimeIds">[n, 6] fp32: original height and width, crop top and left, target height and width, in pixels. (bf16 would make
/// 1001 into 1000.)</param>
/// <param name="Ids1">[n, 77] int64: the captions for the first text encoder, new tokens included.</param>
/// <param name="Ids2">[n, 77] int64: for the second.</param>
public sealed record TrainingData(Tensor LatentMean, Tensor LatentDeviation, Tensor Mask, Tensor TimeIds, Tensor Ids1, Tensor Ids2)
    : IDisposable
{
    public int Pictures => (int)LatentMean.shape[0];

    /// <summary>Shape of a batch of latents.</summary>
    public long[] BatchShape(int batch) => [batch, .. LatentMean.shape[1..]];

    /// <summary>Some of the pictures; new tensors, of the caller's dispose scope.</summary>
    public TrainingData Of(IReadOnlyList<int> pictures)
    {
        using var index = tensor(pictures.Select(i => (long)i).ToArray());
        Tensor Pick(Tensor t) => t.index_select(0, index);
        return new TrainingData(Pick(LatentMean), Pick(LatentDeviation), Pick(Mask), Pick(TimeIds), Pick(Ids1), Pick(Ids2));
    }

    /// <summary>The same data elsewhere; detached from dispose scopes.</summary>
    public TrainingData On(Device device)
    {
        Tensor Move(Tensor t) => t.to(device, copy: true).DetachFromDisposeScope();
        return new TrainingData(Move(LatentMean), Move(LatentDeviation), Move(Mask), Move(TimeIds), Move(Ids1), Move(Ids2));
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[LatentMean, LatentDeviation, Mask, TimeIds, Ids1, Ids2])
            tensor.Dispose();
    }
}
