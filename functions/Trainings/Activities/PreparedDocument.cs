using Sdxl.Core.Datasets;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>datasets/{owner}/{id}/prepared/NNN.json: one of picture (with its report) and skipped is set.</summary>
/// <param name="Removed">Left out by hand; it can be taken back.</param>
/// <param name="Wish">What was asked for otherwise by hand, so that the next change keeps it.</param>
public sealed record PreparedDocument(
    DatasetPicture? Picture, ReportedPicture? Report, SkippedFile? Skipped, bool Removed = false, PictureWish? Wish = null)
{
    public const string Folder = "prepared/";

    public static string FileName(int index) => FormattableString.Invariant($"{Folder}{index:D3}.json");
}
