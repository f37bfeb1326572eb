using System;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

public enum GraphOptimizationLevel
{
    ORT_DISABLE_ALL = 0,
    ORT_ENABLE_BASIC = 1,
    ORT_ENABLE_EXTENDED = 2,
    ORT_ENABLE_ALL = 99,
}

public enum ExecutionMode
{
    ORT_SEQUENTIAL = 0,
    ORT_PARALLEL = 1,
}

/// <summary>How sessions are made; may be disposed once they are.</summary>
public class SessionOptions : SafeHandle
{
    private bool _enableMemoryPattern = true, _enableCpuMemArena = true;
    private int _intraOpNumThreads, _interOpNumThreads;                 // 0: the library chooses
    private GraphOptimizationLevel _graphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
    private ExecutionMode _executionMode = ExecutionMode.ORT_SEQUENTIAL;
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    public SessionOptions()
        : base(0, true)
    {
        handle = NativeApi.Create(OrtApiSlot.CreateSessionOptions);
        OrtEnv.Instance();
    }

    public override bool IsInvalid => handle == 0;

    public bool EnableMemoryPattern
    {
        get => _enableMemoryPattern;
        set
        {
            if (value != _enableMemoryPattern)
                NativeApi.Call(value ? OrtApiSlot.EnableMemPattern : OrtApiSlot.DisableMemPattern, handle);
            _enableMemoryPattern = value;
        }
    }

    public bool EnableCpuMemArena
    {
        get => _enableCpuMemArena;
        set
        {
            if (value != _enableCpuMemArena)
                NativeApi.Call(value ? OrtApiSlot.EnableCpuMemArena : OrtApiSlot.DisableCpuMemArena, handle);
            _enableCpuMemArena = value;
        }
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            NativeApi.Call(OrtApiSlot.SetSessionLogSeverityLevel, handle, (int)value);
            _logSeverityLevel = value;
        }
    }

    public int IntraOpNumThreads
    {
        get => _intraOpNumThreads;
        set
        {
            NativeApi.Call(OrtApiSlot.SetIntraOpNumThreads, handle, value);
            _intraOpNumThreads = value;
        }
    }

    public int InterOpNumThreads
    {
        get => _interOpNumThreads;
        set
        {
            NativeApi.Call(OrtApiSlot.SetInterOpNumThreads, handle, value);
            _interOpNumThreads = value;
        }
    }

    public GraphOptimizationLevel GraphOptimizationLevel
    {
        get => _graphOptimizationLevel;
        set
        {
            NativeApi.Call(OrtApiSlot.SetSessionGraphOptimizationLevel, handle, (int)value);
            _graphOptimizationLevel = value;
        }
    }

    public ExecutionMode ExecutionMode
    {
        get => _executionMode;
        set
        {
            NativeApi.Call(OrtApiSlot.SetSessionExecutionMode, handle, (int)value);
            _executionMode = value;
        }
    }

    internal nint Handle => handle;

    public static SessionOptions MakeSessionOptionWithCudaProvider(int deviceId = 0)
    {
        var options = new SessionOptions();
        options.AppendExecutionProvider_CUDA(deviceId);
        return options;
    }

    public void AppendExecutionProvider_CPU(int useArena = 1) => NativeApi.AppendCpu(handle, useArena);

    public void AppendExecutionProvider_CUDA(int deviceId = 0) => NativeApi.AppendCuda(handle, deviceId);

    public unsafe void AddSessionConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = NativeApi.Utf8(configKey), value = NativeApi.Utf8(configValue))
            NativeApi.Verify(((delegate* unmanaged<nint, byte*, byte*, nint>)NativeApi.Slot(OrtApiSlot.AddSessionConfigEntry))(handle, key, value));
    }

    protected override bool ReleaseHandle()
    {
        NativeApi.Release(OrtApiSlot.ReleaseSessionOptions, handle);
        handle = 0;
        return true;
    }
}
