using Sdxl.Core.Messages;

namespace Sdxl.Core.Predictions;

/// <summary>How far a drawing is: jobs/{owner}/{id}/drawing.json, written by its worker alone. Not the state of record.</summary>
/// <param name="At">When the worker said so.</param>
/// <param name="Device">What computes: "cpu", "cuda:0 (NVIDIA A40)".</param>
/// <param name="Step">Steps done over all pictures; a refiner's are not among them.</param>
/// <param name="StepsPerSecond">null before two steps are done.</param>
/// <param name="SecondsLeft">Estimate, seconds.</param>
/// <param name="Pictures">Those that lie in storage, in order.</param>
/// <param name="Logs">Lines with their ends: the seed, the prompt, the mode, then a line for each percent.</param>
public sealed record DrawingState(DateTimeOffset At, string Device, int Step, int TotalSteps, double? StepsPerSecond, double? SecondsLeft,
    IReadOnlyList<DrawnPicture> Pictures, string Logs);
