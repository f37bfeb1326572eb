namespace Sdxl.Core.Workers;

/// <summary>What a GPU worker says of itself every few seconds, in jobs/workers/{name}.json.</summary>
/// <param name="Name">Machine and process: "gpubox-4711".</param>
/// <param name="Device">What it computes on: "cuda:0", "cpu (1 thread)".</param>
/// <param name="Doing">"idle", "training ID", "prediction ID".</param>
/// <param name="At">When it said so. One that has said nothing for <see cref="Silence"/> is gone.</param>
public sealed record WorkerStatus(string Name, string Device, string Doing, DateTimeOffset At)
{
    /// <summary>Between two such words.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(15);

    /// <summary>Three words missed.</summary>
    public static TimeSpan Silence { get; } = TimeSpan.FromSeconds(50);

    public const string Idle = "idle";
}
