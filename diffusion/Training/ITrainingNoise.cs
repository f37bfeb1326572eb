using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// All random inputs of a training as functions of the batch's number (0, 1, …; with accumulation a step has several batches).
/// Nothing is remembered between calls, so a resumed run draws what an uninterrupted one draws.
/// </summary>
public interface ITrainingNoise
{
    /// <summary>Indices of the pictures, [B].</summary>
    int[] Pictures(int batch);

    /// <summary>Timesteps, [B], each 0..train timesteps - 1.</summary>
    int[] Timesteps(int batch);

    /// <summary>Standard normal, [B, C, H, W] fp32 on the CPU: what the net has to find.</summary>
    Tensor Noise(int batch, long[] shape);

    /// <summary>Standard normal, [B, C, H, W]: the draw from the VAE's posterior.</summary>
    Tensor Posterior(int batch, long[] shape);

    /// <summary>Standard normal, [B, C, 1, 1]: one offset for each channel of each sample.</summary>
    Tensor Offset(int batch, long[] shape);
}
