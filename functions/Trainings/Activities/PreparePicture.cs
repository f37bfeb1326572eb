using System.Diagnostics;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Datasets;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Pictures;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Prepare picture number <paramref name="Index"/> of the plan.</summary>
public sealed record PictureToPrepare(JobKey Training, int Index);

/// <summary>
/// One picture of the fan-out. A broken picture is skipped with a reason, it does not fail the training. One that is prepared already, by
/// an earlier try or in the data set that this training took, stays as it is.
/// </summary>
public sealed class PreparePicture(BlobStore blobs, PictureMaker maker, JobEnds ends, ILogger<PreparePicture> log)
{
    [Function(nameof(PreparePicture))]
    public async Task<bool> Run([ActivityTrigger] PictureToPrepare task, CancellationToken cancel)
    {
        var (training, index) = (task.Training, task.Index);
        if (await ends.IsCanceledAsync(training, cancel))
            return false; // nobody waits for it any more; others' pictures do
        var file = StorageLayout.Dataset(training, PreparedDocument.FileName(index));
        if (await blobs.ReadAsync<PreparedDocument>(StorageLayout.Datasets, file, cancel) is { Value: var known })
            return known.Picture is not null;
        var plan = (await blobs.ReadAsync<UnpackPlan>(
            StorageLayout.Datasets, StorageLayout.Dataset(training, UnpackPlan.FileName), cancel))!.Value.Value;
        var picture = plan.Pictures[index];
        var watch = Stopwatch.StartNew();
        PreparedDocument document;
        string[] lines;
        try
        {
            document = await maker.MakeAsync(training, plan, picture, new PictureWish(), null, cancel);
            lines =
            [
                $"Picture {index + 1}/{plan.Pictures.Count} {picture.Name}: {document.Picture!.Caption}",
                .. document.Report!.Warnings.Select(warning => $"Warning: {picture.Name}: {warning}"),
            ];
            log.PicturePrepared(training.Id, picture.Name, watch.ElapsedMilliseconds);
        }
        catch (PictureRefusedException e)
        {
            document = new PreparedDocument(null, null, new SkippedFile(picture.Name, e.Reason));
            lines = [$"Picture {index + 1}/{plan.Pictures.Count} {picture.Name} skipped: {e.Reason}"];
            log.PictureSkipped(training.Id, picture.Name, e.Reason);
        }
        await blobs.WriteAsync(StorageLayout.Datasets, file, document, cancel: cancel);
        await blobs.AppendLinesAsync(StorageLayout.Jobs, StorageLayout.Log(training), lines, cancel);
        return document.Picture is not null;
    }
}
