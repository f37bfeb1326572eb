using System.Security.Cryptography;
using Azure;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using Sdxl.Core.Text;
using Sdxl.Core;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>What UnpackArchive settled: how many pictures to prepare, the effective inputs, and how many pictures at a time.</summary>
public sealed record UnpackedArchive(int Pictures, TrainingInputs Inputs, int AtOnce);

/// <summary>
/// Checks the archive and its inputs and stores the pictures one by one, numbered in name order, so that the fan-out can take one each.
/// Nothing is stored of an archive that is refused.
/// </summary>
public sealed class UnpackArchive(
    BlobStore blobs, RecordStore records, BaseCatalog bases, DatasetReuse reuse, VersionStore versions, IOptions<SdxlOptions> options)
{
    private const int SkippedInLog = 50;

    [Function(nameof(UnpackArchive))]
    public async Task<UnpackedArchive> Run([ActivityTrigger] TrainingRequest request, CancellationToken cancel)
    {
        if (request.Data is not null)
            return await SettleAsync(request, await reuse.TakeAsync(request, cancel), cancel);
        var parent = request.From is not { } from ? null : await versions.ManifestAsync(from, cancel)
            ?? throw new RefusedException($"Version '{from}', from which the training was to go on, has been removed. Choose another, or "
                + "train without 'from'.");
        var name = request.Archive[(request.Archive.LastIndexOf('/') + 1)..];
        await using var file = await DownloadAsync(request, name, cancel);
        try
        {
            using var intake = ArchiveIntake.Open(file, name, request, bases, parent);
            foreach (var picture in intake.Pictures)
            {
                var source = intake.Archive.Contents.Pictures[picture.Index];
                await StoreAsync(request.Key, picture.Raw, intake.Archive.Open(source.Path), cancel);
                if (picture.RawMask is not null)
                    await StoreAsync(request.Key, picture.RawMask, intake.Archive.Open(source.MaskPath!), cancel);
            }
            var plan = new UnpackPlan(
                name, request.Base, intake.Inputs, intake.Pictures, intake.Archive.Contents.Skipped, intake.Warnings, intake.Given);
            await blobs.WriteAsync(StorageLayout.Datasets, StorageLayout.Dataset(request.Key, UnpackPlan.FileName), plan, cancel: cancel);
            return await SettleAsync(request, plan, cancel);
        }
        catch (IntakeException e)
        {
            throw e.AsRefusal();
        }
    }

    private async Task<UnpackedArchive> SettleAsync(TrainingRequest request, UnpackPlan plan, CancellationToken cancel)
    {
        var effective = System.Text.Json.JsonSerializer.SerializeToNode(plan.Inputs, Core.Json.SdxlJson.Options)!.AsObject();
        await records.ChangeTrainingAsync(
            request.Key, r => r with { Input = effective, Warnings = plan.Warnings, Pictures = plan.Pictures.Count }, cancel);
        var leftOut = plan.Skipped.Take(SkippedInLog).Select(file => $"File {file.Name} skipped: {file.Reason}");
        var more = plan.Skipped.Count - SkippedInLog;
        await blobs.AppendLinesAsync(
            StorageLayout.Jobs, StorageLayout.Log(request.Key),
            [
                $"Unpacked {plan.Archive}: {Plural.Of(plan.Pictures.Count, "picture")}.",
                .. leftOut,
                .. more > 0 ? [$"{Plural.Of(more, "further file")} skipped; the report names them all."] : Array.Empty<string>(),
                .. plan.Warnings.Select(w => "Warning: " + w),
            ],
            cancel);
        return new UnpackedArchive(plan.Pictures.Count, plan.Inputs, Math.Max(1, options.Value.PicturesAtOnce));
    }

    private async Task<FileStream> DownloadAsync(TrainingRequest request, string name, CancellationToken cancel)
    {
        var blob = await blobs.BlobAsync(request.Archive);
        try
        {
            var bytes = (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value.ContentLength;
            if (bytes > options.Value.MaxArchiveBytes)
                throw new RefusedException($"{name} has {bytes >> 20} MiB; at most {options.Value.MaxArchiveBytes >> 20} MiB are taken. "
                    + "Leave pictures out or shrink them.");
            return await SpoolFile.MakeAsync(async file =>
            {
                await blob.DownloadToAsync(file, cancel);
                file.Position = 0;
                if (request.ArchiveMd5 is not null && Convert.ToBase64String(await MD5.HashDataAsync(file, cancel)) != request.ArchiveMd5)
                {
                    throw new RefusedException($"The archive {request.Archive} was replaced by another upload before it was read; "
                        + "that upload has a training of its own.");
                }
            });
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            throw new RefusedException($"The archive {request.Archive} is not in storage any more. Upload it again.", e);
        }
    }

    private async Task StoreAsync(JobKey training, string name, Stream content, CancellationToken cancel)
    {
        await using (content)
            await (await blobs.BlobAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, name)))
                .UploadAsync(content, overwrite: true, cancel);
    }
}
