using System.Text.Json.Serialization;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;

namespace Sdxl.Core.Events;

/// <summary>One thing that happened to a job, as its record remembers it: written with the state that it tells of, in one write.</summary>
/// <param name="Number">1, 2, … within the job: the order in which receivers get them.</param>
/// <param name="Type">One of <see cref="EventTypes"/>.</param>
/// <param name="At">When the record was changed.</param>
/// <param name="Pictures">How many of a prediction's pictures were ready then.</param>
public sealed record JobEvent(int Number, string Type, DateTimeOffset At, int Pictures = 0)
{
    /// <summary>The job's status when it happened.</summary>
    [JsonIgnore]
    public JobStatus Status => Type[(Type.IndexOf('.') + 1)..] switch
    {
        "starting" => JobStatus.Starting,
        "completed" => JobStatus.Succeeded,
        "failed" => JobStatus.Failed,
        "canceled" => JobStatus.Canceled,
        _ => JobStatus.Processing,
    };

    /// <summary>By this receivers know a repetition: the same event has the same id for ever.</summary>
    public string IdOf(JobKey job) => FormattableString.Invariant($"{job.Id}-{Number:D4}");
}
