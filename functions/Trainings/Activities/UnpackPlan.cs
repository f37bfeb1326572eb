using System.Text.Json.Nodes;
using Sdxl.Core.Datasets;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>datasets/{owner}/{id}/unpacked.json: what the preparing activities need to know.</summary>
/// <param name="Given">The inputs as they were said, those of the archive's training.json among them: what another training of the same
/// data begins with.</param>
public sealed record UnpackPlan(
    string Archive, string Base, TrainingInputs Inputs, IReadOnlyList<PlannedPicture> Pictures, IReadOnlyList<SkippedFile> Skipped,
    IReadOnlyList<string> Warnings, JsonObject? Given = null)
{
    public const string FileName = "unpacked.json";
}

/// <param name="Name">Path inside the archive.</param>
/// <param name="Raw">Where its bytes lie, relative to the data set.</param>
/// <param name="RawMask">A mask that came with it, or null.</param>
/// <param name="Caption">Given caption as it is trained, or null: BLIP writes one.</param>
/// <param name="Times">How often the picture stands in the data set's manifest (<see cref="FolderRepeats"/>).</param>
public sealed record PlannedPicture(int Index, string Name, string Raw, string? RawMask, string? Caption, CaptionSource CaptionSource,
    int Times = 1);
