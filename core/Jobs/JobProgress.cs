using System.Text.Json.Serialization;

namespace Sdxl.Core.Jobs;

/// <summary>How far a job is, a training or a prediction. Overwritten as it goes; not the state of record.</summary>
/// <param name="Attempt">Which dispatch of the job reports; older ones are ignored.</param>
/// <param name="Step">Steps done; a prediction's count over all its pictures.</param>
/// <param name="TotalSteps">Steps in all.</param>
/// <param name="Loss">Smoothed loss; null before the first step, and of a prediction.</param>
/// <param name="StepsPerSecond">Recent speed, steps a second.</param>
/// <param name="SecondsLeft">Estimate, seconds.</param>
/// <param name="At">When the worker said so: its heartbeat.</param>
/// <param name="Device">What computes: "cpu", "cuda:0 (NVIDIA A40)".</param>
/// <param name="MemoryBytes">The most memory in use so far: the GPU's, or the worker's process without one. null before the first
/// step.</param>
public sealed record JobProgress(
    int Attempt, int Step, int TotalSteps, double? Loss, double? StepsPerSecond, double? SecondsLeft, DateTimeOffset At, string Device,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? MemoryBytes = null);
