using System;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public enum OrtLoggingLevel
{
    ORT_LOGGING_LEVEL_VERBOSE = 0,
    ORT_LOGGING_LEVEL_INFO = 1,
    ORT_LOGGING_LEVEL_WARNING = 2,
    ORT_LOGGING_LEVEL_ERROR = 3,
    ORT_LOGGING_LEVEL_FATAL = 4,
}

/// <summary>The process-wide environment of ONNX Runtime; made on first use.</summary>
public sealed class OrtEnv : SafeHandle
{
    private const int CSharpProjection = 2;

    private static readonly Lazy<OrtEnv> s_instance = new(() => new OrtEnv());

    private unsafe OrtEnv()
        : base(0, true)
    {
        nint made;
        fixed (byte* logId = NativeApi.Utf8("CSharpOnnxRuntime"))
        {
            NativeApi.Verify(((delegate* unmanaged<int, byte*, nint*, nint>)NativeApi.Slot(OrtApiSlot.CreateEnv))(
                (int)OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, logId, &made));
        }
        handle = made;
        NativeApi.Call(OrtApiSlot.SetLanguageProjection, made, CSharpProjection);
    }

    public static bool IsCreated => s_instance.IsValueCreated;

    public override bool IsInvalid => handle == 0;

    public static OrtEnv Instance() => s_instance.Value;

    public string GetVersionString() => NativeApi.VersionString();

    public unsafe string[] GetAvailableProviders()
    {
        nint* names;
        int count;
        NativeApi.Verify(((delegate* unmanaged<nint**, int*, nint>)NativeApi.Slot(OrtApiSlot.GetAvailableProviders))(&names, &count));
        try
        {
            var providers = new string[count];
            for (var i = 0; i < count; i++)
                providers[i] = NativeApi.Text(names[i]);
            return providers;
        }
        finally
        {
            NativeApi.Verify(((delegate* unmanaged<nint*, int, nint>)NativeApi.Slot(OrtApiSlot.ReleaseAvailableProviders))(names, count));
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeApi.Release(OrtApiSlot.ReleaseEnv, handle);
        handle = 0;
        return true;
    }
}
