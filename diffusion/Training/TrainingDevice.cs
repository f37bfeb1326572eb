using Sdxl.Core.Text;
using Sdxl.Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>What trains, and with how many processor threads.</summary>
/// <param name="Cuda">On the first CUDA device; else on the processor.</param>
/// <param name="Threads">Processor threads. Sums are split among them, so the same bits need the same number (and the same processor and
/// libtorch).</param>
/// <remarks>Trained values, gradients, moments, noise schedule and loss are fp32 on every device. On CUDA the passes are in bf16: fp32's
/// range, so no loss scaling.</remarks>
public sealed record TrainingDevice(bool Cuda, int Threads)
{
    /// <summary>
    /// CUDA where there is one, else the processor with half of its hardware threads: two share a core's arithmetic, and what else runs on
    /// the machine (the host, storage) must not stall every parallel loop.
    /// </summary>
    public static TrainingDevice Best() => new(cuda.is_available(), Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>How the model is held for a training.</summary>
    public DiffusionDevice For(bool lora) =>
        !Cuda ? DiffusionDevice.Cpu
        : lora ? DiffusionDevice.CudaForTraining()
        : DiffusionDevice.CudaForFullTraining();

    /// <summary>"cpu" or "cuda": results of the two differ in the last bits.</summary>
    public string Kind => Cuda ? "cuda" : "cpu";

    /// <summary>Type of the nets' passes.</summary>
    public ScalarType Compute => Cuda ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>"cpu (2 threads)", "cuda:0".</summary>
    public override string ToString() => Cuda ? "cuda:0" : $"cpu ({Plural.Of(Threads, "thread")})";

    /// <summary>Sets the process's threads: before the first tensor is computed.</summary>
    public void Apply() => set_num_threads(Threads);
}
