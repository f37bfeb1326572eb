using Microsoft.Extensions.Hosting;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>
/// Whether this process can still compute. After a fault that takes the GPU's context with it every further job would fail too: the worker
/// ends with an exit code of its own, and whoever runs it (Kubernetes, systemd, the local host) starts a new one.
/// </summary>
/// <param name="exit">Ends the process with a code; null: the real thing. A test's process is not this worker's to end.</param>
public sealed class WorkerHealth(IHostApplicationLifetime lifetime, Action<int>? exit = null)
{
    /// <summary>EX_SOFTWARE: not a wrong setting (1), which another start would not cure.</summary>
    public const int LostDevice = 70;

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    private volatile bool _leaving;

    /// <summary>Set: no further job is taken.</summary>
    public bool IsLeaving => _leaving;

    /// <summary>0, or why the worker ended by itself.</summary>
    public int ExitCode => _leaving ? LostDevice : 0;

    public void Leave()
    {
        _leaving = true;
        // Freeing tensors of a lost context may hang or throw: the process does not wait for it.
        new Thread(() =>
        {
            Thread.Sleep(StopPatience);
            (exit ?? Environment.Exit)(LostDevice);
        })
        { IsBackground = true, Name = "End of a sick worker" }.Start();
        lifetime.StopApplication();
    }
}
