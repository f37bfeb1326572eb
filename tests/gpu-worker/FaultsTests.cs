using System.Runtime.InteropServices;
using Azure;
using Sdxl.Diffusion.Training;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.Tests.GpuWorker;

public sealed class FaultsTests
{
    [Theory]
    [InlineData("CUDA error: an illegal memory access was encountered", true)]
    [InlineData("CUDA error: device-side assert triggered", true)]
    [InlineData("CUDA error: unspecified launch failure", true)]
    [InlineData("CUDA error: uncorrectable ECC error encountered", true)]
    [InlineData("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", true)]
    [InlineData("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", true)]
    [InlineData("CUDA out of memory. Tried to allocate 20.00 MiB", false)]
    [InlineData("CUDA error: out of memory", false)]
    [InlineData("The size of tensor a (4) must match the size of tensor b (5)", false)]
    public void A_lost_device_is_told_from_a_job_that_is_too_large(string message, bool isLost)
    {
        Assert.Equal(isLost, Faults.IsLostDevice(new ExternalException(message)));
        Assert.Equal(isLost, Faults.IsLostDevice(new TrainingException("The training cannot go on.", new ExternalException(message))));
        Assert.False(Faults.IsPassing(new ExternalException(message)));
    }

    [Fact]
    public void Outages_pass_and_answers_do_not()
    {
        Assert.True(Faults.IsPassing(new RequestFailedException(503, "busy")));
        Assert.True(Faults.IsPassing(new AggregateException(new HttpRequestException(), new RequestFailedException(0, "no connection"))));
        Assert.False(Faults.IsPassing(new RequestFailedException(404, "gone")));
        Assert.False(Faults.IsPassing(new AggregateException(new HttpRequestException(), new InvalidOperationException())));
        Assert.False(Faults.IsPassing(new IOException("No space left on device", 28)));
        Assert.True(Faults.IsDiskFull(new IOException("No space left on device", 28)));
    }
}
