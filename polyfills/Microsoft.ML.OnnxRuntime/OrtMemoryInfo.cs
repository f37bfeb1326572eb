using System;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Where memory lies; DefaultInstance is the CPU's.</summary>
public class OrtMemoryInfo : SafeHandle
{
    private const int DeviceAllocator = 0, MemTypeDefault = 0;

    private static readonly Lazy<OrtMemoryInfo> s_default = new(() => new OrtMemoryInfo(CreateCpu()));

    private OrtMemoryInfo(nint made)
        : base(0, true) => handle = made;

    public static OrtMemoryInfo DefaultInstance => s_default.Value;

    public override bool IsInvalid => handle == 0;

    internal nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        NativeApi.Release(OrtApiSlot.ReleaseMemoryInfo, handle);
        handle = 0;
        return true;
    }

    private static unsafe nint CreateCpu()
    {
        nint made;
        NativeApi.Verify(((delegate* unmanaged<int, int, nint*, nint>)NativeApi.Slot(OrtApiSlot.CreateCpuMemoryInfo))(DeviceAllocator, MemTypeDefault, &made));
        return made;
    }
}
