namespace Sdxl.Vision.Models;

/// <summary>How the preprocessing models run; the same for every picture.</summary>
public sealed record VisionOptions
{
    /// <summary>
    /// Threads within one operator, 1..; 0 shares the processors out among <see cref="ParallelPictures"/>, at most 4 each: pictures side by
    /// side cost less than operators split in parts.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>CUDA device; null runs on the CPU. Needs the Gpu flavour of ONNX Runtime.</summary>
    public int? CudaDevice { get; init; }

    /// <summary>Pictures prepared at once; more wait. Bounds memory together with <see cref="Pictures.PictureLimits"/>.</summary>
    public int ParallelPictures { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>Longest caption that BLIP may write, in word pieces.</summary>
    public int MaxCaptionTokens { get; init; } = 24;

    /// <summary>Beams of BLIP's search; 1 is greedy.</summary>
    public int CaptionBeams { get; init; } = 3;

    /// <summary>Side of a Swin2SR tile in source pixels, a multiple of 8. Larger sources are done in overlapping tiles.</summary>
    public int UpscaleTile { get; init; } = 192;

    internal int EffectiveThreads => Threads > 0 ? Threads : Math.Clamp(Environment.ProcessorCount / ParallelPictures, 1, 4);
}
