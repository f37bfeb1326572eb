using Sdxl.Core.Datasets;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>What UnpackArchive settled: how many pictures to prepare, and the effective inputs.</summary>
public sealed record UnpackedArchive(int Pictures, TrainingInputs Inputs);

/// <summary>datasets/{id}/unpacked.json: what the preparing activities need to know.</summary>
public sealed record UnpackPlan(
    string Archive, string Base, TrainingInputs Inputs, IReadOnlyList<PlannedPicture> Pictures, IReadOnlyList<SkippedFile> Skipped, IReadOnlyList<string> Warnings)
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

/// <summary>Prepare picture number <paramref name="Index"/> of the plan.</summary>
public sealed record PictureToPrepare(string TrainingId, int Index);

/// <summary>datasets/{id}/prepared/NNN.json: one of the two is set.</summary>
public sealed record PreparedDocument(DatasetPicture? Picture, ReportedPicture? Report, SkippedFile? Skipped)
{
    public static string FileName(int index) => FormattableString.Invariant($"prepared/{index:D3}.json");
}

/// <summary>The training enters a stage.</summary>
public sealed record StageEntry(string TrainingId, TrainingStage Stage);

/// <summary>The training ends without a version: failed, canceled, or only checked (succeeded).</summary>
public sealed record TrainingEnd(string TrainingId, JobStatus Status, string? Error);

/// <summary>Publish what the worker left under jobs/{id}/output.</summary>
public sealed record PublishRequest(TrainingRequest Training, TrainingInputs Inputs, IReadOnlyList<VersionFile> Files);
