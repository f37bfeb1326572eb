using System.Globalization;
using System.Security.Cryptography;
using Sdxl.Core;
using Sdxl.Core.Bases;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings.Activities;
using Sdxl.Vision;
using Sdxl.Vision.Crops;
using Sdxl.Vision.Models;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Webp;

namespace Sdxl.Functions.Trainings;

/// <summary>What somebody wants otherwise than the preparation made it; null: as it is.</summary>
/// <param name="Crop">The square, in pixels of the original.</param>
/// <param name="MaskFile">A mask, relative to the data set.</param>
public sealed record PictureWish(SquareCrop? Crop = null, string? MaskFile = null);

/// <summary>
/// Makes one picture of a data set: decode with EXIF, upscale if too small, caption, mask, crop to the square. Everything is written under
/// the picture's number, so doing it twice changes nothing; its document is the caller's to write, last.
/// </summary>
public sealed class PictureMaker(BlobStore blobs, BaseCatalog bases, PreparerPool preparers)
{
    /// <summary>Longer side of thumbnails, pixels: sharp on a screen with two pixels a CSS pixel.</summary>
    private const int ThumbnailSide = 320;

    private const int ThumbnailQuality = 80;

    /// <param name="caption">As it is to be trained; null: the plan's, or one that the model writes.</param>
    /// <exception cref="Sdxl.Pictures.PictureRefusedException">The picture cannot be used.</exception>
    public async Task<PreparedDocument> MakeAsync(
        JobKey training, UnpackPlan plan, PlannedPicture picture, PictureWish wish, string? caption, CancellationToken cancel)
    {
        var inputs = plan.Inputs;
        using var source = new MemoryStream(await ReadAsync(picture.Raw));
        using var mask = (wish.MaskFile ?? picture.RawMask) is { } file ? new MemoryStream(await ReadAsync(file)) : null;
        var settings = new PreparationSettings
        {
            Resolution = inputs.Resolution,
            MaskTargetPrompts = inputs.MaskTargetPrompts,
            CropBasedOnSalience = inputs.CropBasedOnSalience,
            UseFaceDetectionInstead = inputs.UseFaceDetectionInstead,
            ClipSegTemperature = inputs.ClipsegTemperature,
            Caption = caption ?? picture.Caption,
            Crop = wish.Crop,
            ThumbnailSide = ThumbnailSide,
        };
        using var prepared = Prepare(bases.Get(plan.Base), source, picture.Name, mask, settings, cancel);
        var composer = new CaptionComposer(inputs.TokenString, inputs.CaptionPrefix);
        var trained =
            caption ?? (picture.Caption is { } given ? composer.FromUser(given) : composer.FromModel(prepared.GeneratedCaption ?? ""));
        var (pictureFile, maskFile, thumbnail) = (
            StorageLayout.PictureFile(picture.Index),
            StorageLayout.MaskFile(picture.Index),
            StorageLayout.ThumbnailFile(picture.Index)
        );
        var png = Encode(stream => prepared.Picture.SaveAsPng(stream));
        await WriteAsync(pictureFile, png, "image/png");
        await WriteAsync(maskFile, Encode(stream => prepared.Mask.SaveAsPng(stream)), "image/png");
        await WriteAsync(
            thumbnail,
            Encode(stream => prepared.Thumbnail.SaveAsWebp(stream, new WebpEncoder { Quality = ThumbnailQuality })),
            "image/webp"
        );

        // SDXL's crop conditioning counts in pixels of the picture as it was scaled for training.
        var scale = (double)inputs.Resolution / prepared.CropSize;
        var entry = new DatasetPicture(
            picture.Name, pictureFile, maskFile, trained, prepared.OriginalWidth, prepared.OriginalHeight,
            (int)Math.Round(prepared.CropLeft * scale), (int)Math.Round(prepared.CropTop * scale),
            Convert.ToHexStringLower(SHA256.HashData(png)));
        var report = new ReportedPicture(
            picture.Name,
            pictureFile,
            maskFile,
            thumbnail,
            trained,
            picture.CaptionSource,
            prepared.MaskSource,
            prepared.OriginalWidth,
            prepared.OriginalHeight,
            [prepared.CropLeft, prepared.CropTop, prepared.CropSize, prepared.CropSize],
            prepared.Upscaled,
            prepared.Faces.Count,
            prepared.PerceptualHash.ToString("x16", CultureInfo.InvariantCulture),
            prepared.Warnings
        );
        return new PreparedDocument(entry, report, null);

        Task<byte[]> ReadAsync(string name) => blobs.ReadBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, name), cancel);

        Task WriteAsync(string name, byte[] bytes, string type) =>
            blobs.WriteBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, name), bytes, type, cancel);
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
