using Sdxl.Core.Datasets;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>datasets/{id}/prepared/NNN.json: one of the two is set.</summary>
public sealed record PreparedDocument(DatasetPicture? Picture, ReportedPicture? Report, SkippedFile? Skipped)
{
    public static string FileName(int index) => FormattableString.Invariant($"prepared/{index:D3}.json");
}
