using Azure;
using Sdxl.Core.Datasets;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Files;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings.Activities;

namespace Sdxl.Functions.Trainings;

/// <summary>A square of the original, in its pixels.</summary>
public sealed record CropView(int X, int Y, int Size);

/// <summary>A picture of a data set as clients see it.</summary>
/// <param name="State">waiting, ready, skipped.</param>
/// <param name="Reason">Why it was skipped.</param>
/// <param name="Times">How often it counts.</param>
/// <param name="Removed">Left out by hand.</param>
/// <param name="Etag">For If-Match of a change; null before it is ready.</param>
/// <param name="Urls">thumbnail, picture, mask; empty before it is ready.</param>
public sealed record PictureView(
    int Index, string Name, string State, string? Reason, int? Width, int? Height, CropView? Crop, MaskSource? MaskSource, string? Caption,
    CaptionSource? CaptionSource, IReadOnlyList<string> Warnings, int Times, bool Removed, string? Etag,
    IReadOnlyDictionary<string, string> Urls);

/// <summary>A data set's report as far as it is: it grows picture by picture.</summary>
/// <param name="Skipped">Files of the archive that are no pictures, and why.</param>
public sealed record ReportView(
    IReadOnlyList<PictureView> Pictures, IReadOnlyList<SkippedFile> Skipped, IReadOnlyList<string> Warnings, Quote? Quote);

/// <summary>Puts reports together: of the plan, and of the pictures that are prepared.</summary>
public sealed class Reports(BlobStore blobs, PreparedDocuments documents, FileLinks links, Quotes quotes)
{
    /// <returns>null where there is no data set, not yet or not any more.</returns>
    public async Task<ReportView?> OfAsync(TrainingRecord record, string root, CancellationToken cancel)
    {
        if (await PlanAsync(record.Key, cancel) is not { } plan)
            return null;
        var prepared = await documents.AllAsync(record.Key, cancel);
        var pictures = new List<PictureView>();
        foreach (var planned in plan.Pictures)
        {
            (PreparedDocument, ETag)? found = prepared.TryGetValue(planned.Index, out var known) ? known : null;
            pictures.Add(await ViewAsync(record.Key, planned, found, root, cancel));
        }
        var warnings = record.HasReport
            ? (
                await blobs.ReadAsync<DatasetReport>(
                    StorageLayout.Datasets,
                    StorageLayout.Dataset(record.Key, StorageLayout.ReportFile),
                    cancel
                )
            )
                ?.Value
                .Warnings
            : null;
        var isOver = Core.Jobs.JobTransitions.IsTerminal(record.Status);
        return new ReportView(
            pictures,
            plan.Skipped,
            warnings ?? plan.Warnings,
            isOver && !record.IsCheck
                ? null
                : await quotes.OfAsync(
                    record.Owner,
                    record.Base,
                    plan.Inputs.MaxTrainSteps,
                    plan.Inputs,
                    record.IsCheck ? null : record,
                    cancel
                )
        );
    }

    public async Task<UnpackPlan?> PlanAsync(JobKey training, CancellationToken cancel) =>
        (await blobs.ReadAsync<UnpackPlan>(StorageLayout.Datasets, StorageLayout.Dataset(training, UnpackPlan.FileName), cancel))?.Value;

    public async Task<PictureView> ViewAsync(
        JobKey training, PlannedPicture planned, (PreparedDocument Document, ETag Tag)? found, string root, CancellationToken cancel)
    {
        if (found is not { Document: var document, Tag: var tag } || document.Report is not { } report)
        {
            var reason = found?.Document.Skipped?.Reason;
            return new PictureView(
                planned.Index, planned.Name, reason is null ? "waiting" : "skipped", reason, null, null, null, null, null, null, [],
                planned.Times, false, null, new Dictionary<string, string>());
        }
        return new PictureView(
            planned.Index, planned.Name, "ready", null, report.Width, report.Height,
            new CropView(report.Crop[0], report.Crop[1], report.Crop[2]), report.MaskSource, report.Caption, report.CaptionSource,
            report.Warnings, planned.Times, document.Removed, tag.ToString("H"),
            new Dictionary<string, string>
            {
                ["thumbnail"] = await LinkAsync(report.ThumbnailFile),
                ["picture"] = await LinkAsync(report.File),
                ["mask"] = await LinkAsync(report.MaskFile),
            });

        // With the document's tag in it: a browser asks again for a picture that was changed.
        async Task<string> LinkAsync(string file) =>
            $"{await links.OfAsync(root, StorageLayout.Datasets, StorageLayout.Dataset(training, file), cancel)}&v={Uri.EscapeDataString(tag.ToString().Trim('"'))}";
    }

    /// <summary>
    /// As one page for people. It is stored when the pictures are all prepared, and made anew when one of them was changed.
    /// </summary>
    /// <returns>null where there is none yet, or none any more.</returns>
    public async Task<string?> PageAsync(TrainingRecord record, CancellationToken cancel)
    {
        var name = StorageLayout.Dataset(record.Key, StorageLayout.ReportPage);
        if (await blobs.ReadTextAsync(StorageLayout.Datasets, name, cancel) is { } stored)
            return stored;
        if (
            !record.HasReport
            || await PlanAsync(record.Key, cancel) is not { } plan
            || await blobs.ReadAsync<DatasetReport>(
                StorageLayout.Datasets,
                StorageLayout.Dataset(record.Key, StorageLayout.ReportFile),
                cancel
            )
                is not { Value: var report }
        )
            return null;
        var prepared = await documents.AllAsync(record.Key, cancel);
        var used = plan.Pictures.Select(p => prepared.TryGetValue(p.Index, out var found) ? found.Document : null)
            .Where(document => document is { Removed: false, Report: not null }).Select(document => document!.Report!).ToList();
        var page = await ReportPage.RenderAsync(report with { Pictures = used, PicturesUsed = used.Count }, file =>
            blobs.ReadBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(record.Key, file), cancel));
        await blobs.WriteBytesAsync(
            StorageLayout.Datasets, name, System.Text.Encoding.UTF8.GetBytes(page), "text/html; charset=utf-8", cancel);
        return page;
    }
}
