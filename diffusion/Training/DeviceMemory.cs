using System.Runtime.InteropServices;

namespace Sdxl.Diffusion.Training;

/// <summary>Memory of the GPU in use, asked of NVIDIA's driver: TorchSharp has no call for it.</summary>
/// <remarks>
/// Counts everything on the device, other processes too. libtorch keeps what it once took, so between steps this is its peak.
/// Source: CUDA driver API, cuMemGetInfo; it asks about the calling thread's context, which libtorch has set where the thread computes.
/// </remarks>
internal static class DeviceMemory
{
    private const int Success = 0;

    private static readonly MemoryInfo? s_info = Find();

    [UnmanagedFunctionPointer(CallingConvention.Winapi)]
    private delegate int MemoryInfo(out nuint free, out nuint total);

    /// <summary>MiB; null without a driver, or where this thread has not computed on a GPU yet.</summary>
    public static double? UsedMebibytes() =>
        s_info is not null && s_info(out var free, out var total) == Success ? Math.Round((total - free) / 1048576.0, 1) : null;

    private static MemoryInfo? Find()
    {
        var library = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";
        return NativeLibrary.TryLoad(library, out var driver) && NativeLibrary.TryGetExport(driver, "cuMemGetInfo_v2", out var address)
            ? Marshal.GetDelegateForFunctionPointer<MemoryInfo>(address)
            : null;
    }
}
