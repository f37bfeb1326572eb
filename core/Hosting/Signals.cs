using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sdxl.Core.Hosting;

/// <summary>How a process is asked to end in order.</summary>
public static class Signals
{
    private const int SigTerm = 15;

    /// <summary>
    /// SIGTERM. Windows has no such thing for a process without a window: there it is ended, and jobs go on from their last checkpoint.
    /// </summary>
    public static void AskToEnd(Process process)
    {
        if (OperatingSystem.IsWindows())
            process.Kill(entireProcessTree: true);
        else
            _ = Kill(process.Id, SigTerm);
    }

    /// <summary>
    /// Leaves the terminal's process group, so that Ctrl-C reaches the command alone, which then stops this host in order.
    /// </summary>
    public static void LeaveTerminal()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetSession();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);

    [DllImport("libc", EntryPoint = "setsid", SetLastError = true)]
    private static extern int SetSession();
}
