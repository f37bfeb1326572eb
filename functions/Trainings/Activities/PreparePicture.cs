using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Sdxl.Core;
using Sdxl.Core.Bases;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;
using Sdxl.Vision;
using Sdxl.Vision.Models;
using Sdxl.Pictures;
using SixLabors.ImageSharp;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Prepare picture number <paramref name="Index"/> of the plan.</summary>
public sealed record PictureToPrepare(JobKey Training, int Index);

/// <summary>
/// One picture of the fan-out: decode with EXIF, upscale if too small, caption, mask, crop to the square. A broken picture is skipped with
/// a reason, it does not fail the training. Everything is written under the picture's number, so doing it twice changes nothing.
/// </summary>
public sealed class PreparePicture(BlobStore blobs, BaseCatalog bases, PreparerPool preparers, ILogger<PreparePicture> log)
{
    [Function(nameof(PreparePicture))]
    public async Task<bool> Run([ActivityTrigger] PictureToPrepare task, CancellationToken cancel)
    {
        var (training, index) = (task.Training, task.Index);
        var plan = (await blobs.ReadAsync<UnpackPlan>(
            StorageLayout.Datasets, StorageLayout.Dataset(training, UnpackPlan.FileName), cancel))!.Value.Value;
        var picture = plan.Pictures[index];
        var watch = Stopwatch.StartNew();
        PreparedDocument document;
        string line;
        try
        {
            (document, var caption) = await Prepare(training, plan, picture, cancel);
            line = $"Picture {index + 1}/{plan.Pictures.Count} {picture.Name}: {caption}";
            log.PicturePrepared(training.Id, picture.Name, watch.ElapsedMilliseconds);
        }
        catch (PictureRefusedException e)
        {
            document = new PreparedDocument(null, null, new SkippedFile(picture.Name, e.Reason));
            line = $"Picture {index + 1}/{plan.Pictures.Count} {picture.Name} skipped: {e.Reason}";
            log.PictureSkipped(training.Id, picture.Name, e.Reason);
        }
        await blobs.WriteAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, PreparedDocument.FileName(index)), document,
            cancel: cancel);
        await blobs.AppendLinesAsync(StorageLayout.Jobs, StorageLayout.Log(training), [line], cancel);
        return document.Picture is not null;
    }

    private async Task<(PreparedDocument, string Caption)> Prepare(
        JobKey training, UnpackPlan plan, PlannedPicture picture, CancellationToken cancel)
    {
        var inputs = plan.Inputs;
        using var source = new MemoryStream(
            await blobs.ReadBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, picture.Raw), cancel));
        using var mask = picture.RawMask is null
            ? null
            : new MemoryStream(await blobs.ReadBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, picture.RawMask), cancel));
        var settings = new PreparationSettings
        {
            Resolution = inputs.Resolution,
            MaskTargetPrompts = inputs.MaskTargetPrompts,
            CropBasedOnSalience = inputs.CropBasedOnSalience,
            UseFaceDetectionInstead = inputs.UseFaceDetectionInstead,
            ClipSegTemperature = inputs.ClipsegTemperature,
            Caption = picture.Caption,
        };
        using var prepared = Prepare(bases.Get(plan.Base), source, picture.Name, mask, settings, cancel);

        var composer = new CaptionComposer(inputs.TokenString, inputs.CaptionPrefix);
        var caption = picture.Caption is { } given ? composer.FromUser(given) : composer.FromModel(prepared.GeneratedCaption ?? "");
        var (file, maskFile, thumbnail) =
            (StorageLayout.PictureFile(picture.Index), StorageLayout.MaskFile(picture.Index), StorageLayout.ThumbnailFile(picture.Index));
        var png = Encode(stream => prepared.Picture.SaveAsPng(stream));
        await blobs.WriteBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, file), png, "image/png", cancel);
        await blobs.WriteBytesAsync(
            StorageLayout.Datasets, StorageLayout.Dataset(training, maskFile),
            Encode(stream => prepared.Mask.SaveAsPng(stream)), "image/png", cancel);
        await blobs.WriteBytesAsync(
            StorageLayout.Datasets, StorageLayout.Dataset(training, thumbnail),
            Encode(stream => prepared.Thumbnail.SaveAsJpeg(stream)), "image/jpeg", cancel);

        // SDXL's crop conditioning counts in pixels of the picture as it was scaled for training.
        var scale = (double)inputs.Resolution / prepared.CropSize;
        var entry = new DatasetPicture(
            picture.Name, file, maskFile, caption, prepared.OriginalWidth, prepared.OriginalHeight,
            (int)Math.Round(prepared.CropLeft * scale), (int)Math.Round(prepared.CropTop * scale),
            Convert.ToHexStringLower(SHA256.HashData(png)));
        var report = new ReportedPicture(
            picture.Name, file, maskFile, thumbnail, caption,
            picture.CaptionSource,
            prepared.MaskSource,
            prepared.OriginalWidth, prepared.OriginalHeight, [prepared.CropLeft, prepared.CropTop, prepared.CropSize, prepared.CropSize],
            prepared.Upscaled, prepared.Faces.Count,
            prepared.PerceptualHash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture), prepared.Warnings);
        return (new PreparedDocument(entry, report, null), caption);
    }

    private PreparedPicture Prepare(BaseManifest baseModel, Stream source, string name, Stream? mask, PreparationSettings settings,
        CancellationToken cancel)
    {
        try
        {
            return preparers.For(baseModel).Prepare(source, name, mask, settings, cancel);
        }
        catch (ModelFileMissingException e)
        {
            // Another try would miss it too; the manifest knows what brings it.
            throw new RefusedException(baseModel.Explain(
                [Path.GetRelativePath(Path.GetFullPath(baseModel.ModelsFolder), Path.GetFullPath(e.File)).Replace('\\', '/')]), e);
        }
    }

    private static byte[] Encode(Action<Stream> save)
    {
        using var stream = new MemoryStream();
        save(stream);
        return stream.ToArray();
    }
}
