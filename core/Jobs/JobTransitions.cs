namespace Sdxl.Core.Jobs;

/// <summary>Which status may follow which. The orchestrator is the only writer.</summary>
public static class JobTransitions
{
    public static bool IsTerminal(JobStatus status) => status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>true if <paramref name="to"/> may be written over <paramref name="from"/>. Repeating a status is allowed: activities may
    /// run twice.</summary>
    public static bool Allowed(JobStatus from, JobStatus to) => (from, to) switch
    {
        _ when from == to => true,
        (JobStatus.Starting, _) => true,
        (JobStatus.Processing, JobStatus.Starting) => false,
        (JobStatus.Processing, _) => true,
        _ => false,
    };
}
