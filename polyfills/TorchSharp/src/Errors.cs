using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Throws <see cref="ExternalException"/> with the message of this thread's last native failure, if one waits.</summary>
    public static void CheckForErrors()
    {
        if (Native.sx_last_error() is var message and not 0)
            throw new ExternalException(Marshal.PtrToStringUTF8(message));
    }

    /// <summary>Throws when a native function reported failure (its result is not 0).</summary>
    internal static void Check(int failed)
    {
        if (failed != 0)
            CheckForErrors();
    }
}
