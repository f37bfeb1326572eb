using System.Runtime.InteropServices;
using Azure;
using Azure.Identity;
using Azure.Messaging.ServiceBus;
using Sdxl.Diffusion.Files;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>Whose fault an exception is, because the job, its surroundings and the machine are answered differently.</summary>
public static class Faults
{
    private const int NoSpaceLeft = 28;    // ENOSPC, as .NET puts it into HResult on Unix
    private const int QuotaExceeded = 122; // EDQUOT
    private const int DiskFull = 0x70, HandleDiskFull = 0x27; // Windows: the low word of 0x80070070 and 0x80070027

    // After these every further call in the process fails too, whatever the job: CUDA's documentation, "this error leaves the process in an
    // inconsistent state".
    private static readonly string[] s_lostContext =
    [
        "illegal memory access",
        "device-side assert",
        "unspecified launch failure",
        "misaligned address",
        "illegal instruction",
        "invalid program counter",
        "hardware stack error",
        "uncorrectable ECC",
        "ECC error",
        "launch timed out",
        "GPU is lost",
        "has fallen off the bus",
        "context is destroyed",
        "driver shutting down",
        "no CUDA-capable device",
        "device unavailable",
        "unknown error",
        "CUBLAS_STATUS_EXECUTION_FAILED",
        "CUDNN_STATUS_EXECUTION_FAILED",
        "CUBLAS_STATUS_NOT_INITIALIZED",
        "CUDNN_STATUS_INTERNAL_ERROR",
    ];

    /// <summary>Of the surroundings: storage, network, queue. They pass; the job is whole and waits.</summary>
    /// <remarks>The storage client gives an AggregateException once its own retries are used up.</remarks>
    public static bool IsPassing(Exception e) =>
        e switch
        {
            AggregateException all => all.InnerExceptions.All(IsPassing),
            FileNotFoundException or DirectoryNotFoundException or SafetensorsException => false,
            RequestFailedException { Status: 400 or 404 or 409 or 412 or 413 } => false, // an answer, and the same one next time
            RequestFailedException
            or ServiceBusException
            or AuthenticationFailedException
            or HttpRequestException
            or OperationCanceledException => true,
            IOException => !IsDiskFull(e),
            _ => false,
        };

    /// <summary>The machine's disk (scratch) has no room.</summary>
    public static bool IsDiskFull(Exception e) =>
        e switch
        {
            AggregateException all => all.InnerExceptions.Any(IsDiskFull),
            IOException => OperatingSystem.IsWindows()
                ? (e.HResult & 0xFFFF) is DiskFull or HandleDiskFull
                : e.HResult is NoSpaceLeft or QuotaExceeded,
            _ => e.InnerException is { } inner && IsDiskFull(inner),
        };

    /// <summary>Of the GPU or its driver: this process will never compute again. Too little memory is not one of them.</summary>
    public static bool IsLostDevice(Exception e) =>
        (
            e is ExternalException
            && (
                e.Message.Contains("CUDA", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("CUDNN", StringComparison.OrdinalIgnoreCase)
                || e.Message.Contains("CUBLAS", StringComparison.OrdinalIgnoreCase)
            )
            && !e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            && s_lostContext.Any(words => e.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
        || (e.InnerException is { } inner && IsLostDevice(inner));
}
