using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>What trains, and in which types.</summary>
/// <param name="Device">CPU or CUDA.</param>
/// <param name="Compute">Type of the nets' passes: fp32 on the CPU (bf16 is slower there), bf16 on CUDA (fp32's range, so no loss scaling).</param>
/// <param name="Threads">CPU threads. Sums are split among them, so the same bits need the same number.</param>
/// <remarks>Trained values, gradients, moments, noise schedule and loss are fp32 on every device.</remarks>
public sealed record TrainingDevice(Device Device, ScalarType Compute, int Threads)
{
    /// <summary>CUDA where there is one, else the CPU with all its cores.</summary>
    public static TrainingDevice Best() => cuda.is_available()
        ? new TrainingDevice(new Device(DeviceType.CUDA, 0), ScalarType.BFloat16, Environment.ProcessorCount)
        : new TrainingDevice(CPU, ScalarType.Float32, Environment.ProcessorCount);

    public bool IsCuda => Device.type == DeviceType.CUDA;

    /// <summary>"cpu (2 threads)", "cuda:0".</summary>
    public override string ToString() => IsCuda ? $"cuda:{Math.Max(0, Device.index)}" : $"cpu ({Threads} {(Threads == 1 ? "thread" : "threads")})";

    /// <summary>Sets the process's threads; done once before the first tensor is computed.</summary>
    public void Apply() => set_num_threads(Threads);
}
