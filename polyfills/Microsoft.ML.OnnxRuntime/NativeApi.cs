using System;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Positions in ONNX Runtime's function table. Stable: functions are only ever appended. Source: struct OrtApi, onnxruntime_c_api.h.</summary>
internal enum OrtApiSlot
{
    GetErrorCode = 1,
    GetErrorMessage = 2,
    CreateEnv = 3,
    CreateSession = 7,
    CreateSessionFromArray = 8,
    Run = 9,
    CreateSessionOptions = 10,
    SetSessionExecutionMode = 13,
    EnableMemPattern = 16,
    DisableMemPattern = 17,
    EnableCpuMemArena = 18,
    DisableCpuMemArena = 19,
    SetSessionLogSeverityLevel = 22,
    SetSessionGraphOptimizationLevel = 23,
    SetIntraOpNumThreads = 24,
    SetInterOpNumThreads = 25,
    SessionGetInputCount = 30,
    SessionGetOutputCount = 31,
    SessionGetInputTypeInfo = 33,
    SessionGetOutputTypeInfo = 34,
    SessionGetInputName = 36,
    SessionGetOutputName = 37,
    CreateRunOptions = 39,
    RunOptionsSetTerminate = 46,
    RunOptionsUnsetTerminate = 47,
    CreateTensorWithDataAsOrtValue = 49,
    GetTensorMutableData = 51,
    CastTypeInfoToTensorInfo = 55,
    GetOnnxTypeFromTypeInfo = 56,
    GetTensorElementType = 60,
    GetDimensionsCount = 61,
    GetDimensions = 62,
    GetSymbolicDimensions = 63,
    GetTensorTypeAndShape = 65,
    GetValueType = 67,
    CreateCpuMemoryInfo = 69,
    AllocatorFree = 76,
    GetAllocatorWithDefaultOptions = 78,
    ReleaseEnv = 92,
    ReleaseStatus = 93,
    ReleaseMemoryInfo = 94,
    ReleaseSession = 95,
    ReleaseValue = 96,
    ReleaseRunOptions = 97,
    ReleaseTypeInfo = 98,
    ReleaseTensorTypeAndShapeInfo = 99,
    ReleaseSessionOptions = 100,
    GetAvailableProviders = 125,
    ReleaseAvailableProviders = 126,
    AddSessionConfigEntry = 130,
    SetLanguageProjection = 145,
}

/// <summary>The native library: found, loaded once, called through its function table.</summary>
internal static unsafe class NativeApi
{
    private const string Library = "onnxruntime";

    // The version whose table holds every slot above; any later library answers it too. The real package asks for the same.
    private const uint ApiVersion = 14;

    private static readonly nint* s_table = LoadTable();

    /// <summary>(args…) -> OrtStatus*, null when it went well.</summary>
    public static nint Slot(OrtApiSlot slot) => s_table[(int)slot];

    [DllImport(Library)]
    private static extern nint* OrtGetApiBase();

    [DllImport(Library)]
    private static extern nint OrtSessionOptionsAppendExecutionProvider_CPU(nint options, int useArena);

    [DllImport(Library)]
    private static extern nint OrtSessionOptionsAppendExecutionProvider_CUDA(nint options, int deviceId);

    public static void AppendCpu(nint options, int useArena) => Verify(OrtSessionOptionsAppendExecutionProvider_CPU(options, useArena));

    public static void AppendCuda(nint options, int deviceId) => Verify(OrtSessionOptionsAppendExecutionProvider_CUDA(options, deviceId));

    public static string VersionString() => Text(((delegate* unmanaged<nint>)OrtGetApiBase()[1])());

    public static nint Create(OrtApiSlot slot)
    {
        nint made;
        Verify(((delegate* unmanaged<nint*, nint>)Slot(slot))(&made));
        return made;
    }

    public static void Call(OrtApiSlot slot, nint self) => Verify(((delegate* unmanaged<nint, nint>)Slot(slot))(self));

    public static void Call(OrtApiSlot slot, nint self, int value) => Verify(((delegate* unmanaged<nint, int, nint>)Slot(slot))(self, value));

    public static nint Get(OrtApiSlot slot, nint self)
    {
        nint value;
        Verify(((delegate* unmanaged<nint, nint*, nint>)Slot(slot))(self, &value));
        return value;
    }

    public static nint Get(OrtApiSlot slot, nint self, nint index)
    {
        nint value;
        Verify(((delegate* unmanaged<nint, nint, nint*, nint>)Slot(slot))(self, index, &value));
        return value;
    }

    /// <summary>An enum that the C API writes as a 32-bit integer.</summary>
    public static int GetInt(OrtApiSlot slot, nint self)
    {
        int value;
        Verify(((delegate* unmanaged<nint, int*, nint>)Slot(slot))(self, &value));
        return value;
    }

    public static void Release(OrtApiSlot slot, nint self) => ((delegate* unmanaged<nint, void>)Slot(slot))(self);

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes((text ?? "") + "\0");

    public static string Text(nint utf8) => Marshal.PtrToStringUTF8(utf8) ?? "";

    /// <summary>Throws what a status says, and frees it.</summary>
    public static void Verify(nint status)
    {
        if (status == 0)
            return;
        try
        {
            var code = ((delegate* unmanaged<nint, int>)Slot(OrtApiSlot.GetErrorCode))(status);
            var message = Text(((delegate* unmanaged<nint, nint>)Slot(OrtApiSlot.GetErrorMessage))(status));
            throw new OnnxRuntimeException((ErrorCode)code, message);
        }
        finally
        {
            Release(OrtApiSlot.ReleaseStatus, status);
        }
    }

    private static nint* LoadTable()
    {
        NativeLibrary.SetDllImportResolver(typeof(NativeApi).Assembly, Resolve);
        var getApi = (delegate* unmanaged<uint, nint>)OrtGetApiBase()[0];
        var table = (nint*)getApi(ApiVersion);
        return table != null ? table : throw new NotSupportedException(
            $"libonnxruntime {VersionString()} does not offer API version {ApiVersion}; 1.14 or newer is needed (SDXL_ONNXRUNTIME={Environment.GetEnvironmentVariable("SDXL_ONNXRUNTIME")}).");
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Library)
            return 0;
        if (Environment.GetEnvironmentVariable("SDXL_ONNXRUNTIME") is { Length: > 0 } chosen)
            return NativeLibrary.Load(Directory.Exists(chosen) ? Path.Combine(chosen, "libonnxruntime.so.1") : chosen);
        foreach (var folder in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(assembly.Location) ?? "" })
        {
            if (NativeLibrary.TryLoad(Path.Combine(folder, "libonnxruntime.so.1"), out var handle))
                return handle;
        }
        throw new DllNotFoundException(
            $"libonnxruntime.so.1 is not beside {AppContext.BaseDirectory}. Run `npm ci --prefix tools/npm` and build again, or set SDXL_ONNXRUNTIME to the library.");
    }
}
