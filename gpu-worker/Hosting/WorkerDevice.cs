using Microsoft.Extensions.Options;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Numerics;
using Sdxl.Diffusion.Training;
using TorchSharp;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>What this worker computes on, chosen once at start: a CUDA device if there is one, unless the settings say otherwise.</summary>
public sealed class WorkerDevice
{
    /// <exception cref="InvalidOperationException">The settings ask for a device that is not there, or the device computes wrongly: no job
    /// is taken.</exception>
    public WorkerDevice(IOptions<WorkerOptions> options)
    {
        var (device, threads) = (options.Value.Device, options.Value.Threads > 0 ? options.Value.Threads : TrainingDevice.Best().Threads);
        var cuda = device switch
        {
            "auto" => torch.cuda.is_available(),
            "cpu" => false,
            "cuda" when torch.cuda.is_available() => true,
            "cuda" => throw new InvalidOperationException(
                "Setting Sdxl:Device is 'cuda' but libtorch finds no CUDA device. Check nvidia-smi and the driver, or set it to 'auto' or "
                    + "'cpu'."
            ),
            _ => throw new InvalidOperationException($"Setting Sdxl:Device is '{device}'; it must be auto, cpu or cuda."),
        };
        Training = new TrainingDevice(cuda, threads);
        Training.Apply(); // for predictions too, before and after a training alike
        Sampling = cuda ? DiffusionDevice.CudaForSampling() : DiffusionDevice.Cpu;
        Convolutions = NumericsCheck.Require(
            Sampling.Device,
            new[] { torch.ScalarType.Float32, Training.Compute, Sampling.UNetType }.Distinct().ToList()
        );
    }

    public TrainingDevice Training { get; }

    public DiffusionDevice Sampling { get; }

    /// <summary>How this device convolves rightly; the other operations were found right as they are.</summary>
    public ConvolutionPath Convolutions { get; }

    /// <summary>For logs and events: "cuda:0", "cpu (2 threads)".</summary>
    public string Name => Training.ToString();
}
