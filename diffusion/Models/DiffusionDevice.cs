using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Models;

/// <summary>Where the model runs and in which types it is held and computes.</summary>
/// <remarks>
/// CPU: everything in fp32; half types are slower there and the published fp16 weights widen exactly.
/// CUDA, sampling: U-Net and text encoders in fp16, the type SDXL was published in (bf16 would drop three bits of every weight);
/// their norms and softmaxes accumulate in fp32 inside the kernels. The VAE in fp32: SDXL's overflows in fp16 (black pictures), unless its
/// config says force_upcast false. Schedules, guidance, noise and the running latents are fp32 everywhere.
/// CUDA, training: activations in bf16, because fp16 gradients underflow without loss scaling; what is trained is held in fp32.
/// </remarks>
public sealed record DiffusionDevice
{
    private DiffusionDevice(Device device, ScalarType unet, ScalarType text, ScalarType? vae) =>
        (Device, UNetType, TextType, forcedVaeType) = (device, unet, text, vae);

    private readonly ScalarType? forcedVaeType;

    public Device Device { get; }

    /// <summary>Type of the U-Net's weights and activations.</summary>
    public ScalarType UNetType { get; }

    /// <summary>Type of the text encoders' weights and activations.</summary>
    public ScalarType TextType { get; }

    /// <summary>All fp32 on the processor.</summary>
    public static DiffusionDevice Cpu { get; } = new(CPU, ScalarType.Float32, ScalarType.Float32, ScalarType.Float32);

    /// <summary>Sampling on a GPU.</summary>
    public static DiffusionDevice CudaForSampling(int index = 0) =>
        new(new Device(TorchSharp.DeviceType.CUDA, index), ScalarType.Float16, ScalarType.Float16, null);

    /// <summary>Training adapters on a GPU: the frozen weights in bf16.</summary>
    public static DiffusionDevice CudaForTraining(int index = 0) =>
        new(new Device(TorchSharp.DeviceType.CUDA, index), ScalarType.BFloat16, ScalarType.BFloat16, ScalarType.Float32);

    /// <summary>Training the whole U-Net on a GPU: it is held in fp32, its layers cast to the activations' type for each product.</summary>
    public static DiffusionDevice CudaForFullTraining(int index = 0) =>
        new(new Device(TorchSharp.DeviceType.CUDA, index), ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float32);

    /// <summary>The GPU where there is one, else the processor.</summary>
    public static DiffusionDevice BestForSampling() => cuda.is_available() ? CudaForSampling() : Cpu;

    /// <summary>Type of the VAE, which depends on whether it overflows in half precision.</summary>
    public ScalarType VaeType(VaeConfig config) => forcedVaeType ?? (config.ForceUpcast ? ScalarType.Float32 : ScalarType.Float16);
}
