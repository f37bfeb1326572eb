using Sdxl.Core.Identity;
using Sdxl.Core.Predictions;

namespace Sdxl.Core.Messages;

/// <summary>Queue <c>predictions</c>: draw pictures.</summary>
/// <param name="Prediction">Whose, and which.</param>
/// <param name="Base">Base model's manifest name.</param>
/// <param name="Inputs">Effective inputs; image, mask and replicate_weights name blobs (container/name).</param>
/// <param name="Weights">Blob prefix of a published version ("models/owner/name/versions/ID"), or null to draw with the base model
/// alone.</param>
/// <param name="TellsLogs">Someone wants to hear of every growth of the log.</param>
public sealed record PredictionJob(JobKey Prediction, string Base, string? Weights, PredictionInputs Inputs, bool TellsLogs = false)
{
    public string MessageId => $"{Prediction}";
}
