using System;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Options of one or more runs; Terminate stops those under way.</summary>
public class RunOptions : SafeHandle
{
    private bool _terminate;

    public RunOptions()
        : base(0, true) => handle = NativeApi.Create(OrtApiSlot.CreateRunOptions);

    public override bool IsInvalid => handle == 0;

    public bool Terminate
    {
        get => _terminate;
        set
        {
            if (value != _terminate)
                NativeApi.Call(value ? OrtApiSlot.RunOptionsSetTerminate : OrtApiSlot.RunOptionsUnsetTerminate, handle);
            _terminate = value;
        }
    }

    internal nint Handle => handle;

    protected override bool ReleaseHandle()
    {
        NativeApi.Release(OrtApiSlot.ReleaseRunOptions, handle);
        handle = 0;
        return true;
    }
}
