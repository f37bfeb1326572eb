using Sdxl.Core.Identity;
using Sdxl.Core.Trainings;

namespace Sdxl.Core.Messages;

/// <summary>
/// Queue <c>trainings</c>: train this data set. MessageId = id + attempt, so that a repeated dispatch is dropped by duplicate detection.
/// </summary>
/// <param name="Training">Whose, and which.</param>
/// <param name="Attempt">1, 2, …; a later attempt's events win.</param>
/// <param name="Base">Base model's manifest name.</param>
/// <param name="ModelName">Name for the files' headers: owner/name.</param>
/// <param name="Inputs">Effective inputs.</param>
/// <param name="From">The published version that it goes on from, owner/name:id; null: the base model alone.</param>
public sealed record TrainingJob(JobKey Training, int Attempt, string Base, string ModelName, TrainingInputs Inputs, string? From = null)
{
    public string MessageId => $"{Training}/{Attempt}";
}
