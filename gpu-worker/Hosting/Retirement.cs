using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>When a worker leaves by itself, so that a machine which is paid by the second ends: after one job, or when none has come for a
/// while.</summary>
/// <remarks>Asked between jobs only, never while a message is held: whoever leaves has nothing to give back. Whatever starts workers starts
/// another for the next job.</remarks>
public sealed class Retirement(
    IOptions<WorkerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<Retirement> log)
{
    private long _idleSince = time.GetTimestamp();
    private bool _hasWorked;

    /// <summary>A job is over, whichever way: done, failed, given back.</summary>
    public void JobEnded() => (_idleSince, _hasWorked) = (time.GetTimestamp(), true);

    /// <summary>Whether the worker takes no more jobs. The first time it does not, the program is told to stop.</summary>
    public bool IsDue()
    {
        var idle = time.GetElapsedTime(_idleSince);
        if (_hasWorked && options.Value.ExitAfterOneJob)
            log.LeavesAfterJob();
        else if (options.Value.ExitWhenIdleMinutes is > 0 and var patience && idle >= TimeSpan.FromMinutes(patience))
            log.LeavesIdle(idle.TotalMinutes);
        else
            return false;
        lifetime.StopApplication();
        return true;
    }
}
