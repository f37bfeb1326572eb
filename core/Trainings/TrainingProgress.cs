namespace Sdxl.Core.Trainings;

/// <summary>How far a training is. Overwritten as it goes; not the state of record.</summary>
/// <param name="Attempt">Which dispatch of the job reports; older ones are ignored.</param>
/// <param name="Step">Training steps done.</param>
/// <param name="TotalSteps">Training steps in all.</param>
/// <param name="Loss">Smoothed loss, or null before the first step.</param>
/// <param name="StepsPerSecond">Recent speed, steps a second.</param>
/// <param name="SecondsLeft">Estimate, seconds.</param>
/// <param name="At">When the worker said so: its heartbeat.</param>
/// <param name="Device">What trains: "cpu", "cuda:0 (NVIDIA A40)".</param>
public sealed record TrainingProgress(
    int Attempt, int Step, int TotalSteps, double? Loss, double? StepsPerSecond, double? SecondsLeft, DateTimeOffset At, string Device);
