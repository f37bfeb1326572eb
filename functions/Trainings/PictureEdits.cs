using System.Text.Json;
using System.Text.Json.Nodes;
using Azure;
using Microsoft.AspNetCore.Http;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings.Activities;
using Sdxl.Pictures;
using Sdxl.Vision.Crops;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// Changes of one picture by hand: caption, crop, mask, in or out. Whoever changes what he has not seen is refused (If-Match, 412). A new
/// crop or mask prepares the picture anew.
/// </summary>
public sealed class PictureEdits(BlobStore blobs, PreparedDocuments documents, PictureMaker maker, InputFiles files, Reports reports)
{
    public const string Example = "Send {\"caption\": \"a photo of TOK\"}, {\"crop\": {\"x\": 0, \"y\": 0, \"size\": 512}}, "
        + "{\"mask\": \"data:image/png;base64,…\"} or {\"removed\": true}.";

    private const int MaxCaptionLetters = 2000;
    private const int SmallestCrop = 32; // pixels; of fewer nothing is to be learnt
    private static readonly string[] s_names = ["caption", "crop", "mask", "removed"];

    /// <returns>The picture as it is then; null where somebody else has changed it meanwhile.</returns>
    /// <exception cref="IntakeException">Not there, not prepared yet (409), or the change makes no sense (422).</exception>
    public async Task<PictureView?> ChangeAsync(
        TrainingRecord check, int index, JsonObject change, HttpRequest request, string root, CancellationToken cancel)
    {
        var plan = await reports.PlanAsync(check.Key, cancel);
        var planned = plan is not null && index >= 0 && index < plan.Pictures.Count ? plan.Pictures[index]
            : throw Refuse("index", 404, $"The data set '{check.Id}' has no picture {index}.");
        if (await documents.OneAsync(check.Key, index, cancel) is not var (document, tag))
            throw Refuse("index", 409, $"Picture {index} is not prepared yet. Try again in a moment.");
        if (document.Report is null || document.Picture is null)
            throw Refuse("index", 409, $"Picture {index} cannot be used: {document.Skipped?.Reason}");
        var asked = request.Headers.IfMatch.ToString();
        if (asked is not ("" or "*") && !asked.Split(',', StringSplitOptions.TrimEntries).Contains(tag.ToString("H")))
            return null;
        var next = await NextAsync(check, plan!, planned, document, change, request, cancel);
        try
        {
            tag = await documents.WriteAsync(check.Key, index, next, tag, cancel);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            return null;
        }
        // It shows what is not so any more; the next who asks gets a new one.
        await (await blobs.BlobAsync(StorageLayout.Datasets, StorageLayout.Dataset(check.Key, StorageLayout.ReportPage)))
            .DeleteIfExistsAsync(cancellationToken: cancel);
        return await reports.ViewAsync(check.Key, planned, (next, tag), root, cancel);
    }

    private async Task<PreparedDocument> NextAsync(
        TrainingRecord check, UnpackPlan plan, PlannedPicture planned, PreparedDocument document, JsonObject change, HttpRequest request,
        CancellationToken cancel)
    {
        if (change.Select(pair => pair.Key).FirstOrDefault(name => !s_names.Contains(name)) is { } unknown)
            throw Refuse(unknown, 422, $"'{unknown}' cannot be changed. {Example}");
        var next = document;
        if (change["removed"] is { } removed)
            next = next with { Removed = removed.GetValueKind() switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw Refuse("removed", 422, "'removed' must be true or false."),
            } };
        if (change.ContainsKey("crop") || change.ContainsKey("mask"))
        {
            var wish = document.Wish ?? new PictureWish();
            if (change.ContainsKey("crop"))
                wish = wish with { Crop = CropOf(change["crop"], document.Report!) };
            if (change.ContainsKey("mask"))
                wish = wish with { MaskFile = await MaskAsync(check, planned, change["mask"], request, cancel) };
            var made = await MadeAsync(check, plan, planned, wish, document.Picture!.Caption, cancel);
            next = next with
            {
                Picture = made.Picture,
                Report = made.Report! with { CaptionSource = document.Report!.CaptionSource },
                Wish = wish,
            };
        }
        if (change["caption"] is { } said)
        {
            var text = said.GetValueKind() == JsonValueKind.String ? said.GetValue<string>() : "";
            if (string.IsNullOrWhiteSpace(text) || text.Length > MaxCaptionLetters)
                throw Refuse("caption", 422, $"'caption' must be a text of 1 to {MaxCaptionLetters} characters.");
            var caption = new CaptionComposer(plan.Inputs.TokenString, plan.Inputs.CaptionPrefix).FromUser(text);
            next = next with
            {
                Picture = next.Picture! with { Caption = caption },
                Report = next.Report! with { Caption = caption, CaptionSource = CaptionSource.Edited },
            };
        }
        return next;
    }

    private async Task<PreparedDocument> MadeAsync(
        TrainingRecord check, UnpackPlan plan, PlannedPicture planned, PictureWish wish, string caption, CancellationToken cancel)
    {
        try
        {
            return await maker.MakeAsync(check.Key, plan, planned, wish, caption, cancel);
        }
        catch (PictureRefusedException e)
        {
            throw Refuse("mask", 422, e.Message);
        }
    }

    /// <summary>null in the request: as the preparation chooses it.</summary>
    private static SquareCrop? CropOf(JsonNode? crop, ReportedPicture picture)
    {
        if (crop is null)
            return null;
        if (crop is JsonObject o && Whole(o["x"]) is { } x && Whole(o["y"]) is { } y && Whole(o["size"]) is { } size
            && x >= 0 && y >= 0 && size >= SmallestCrop && x + size <= picture.Width && y + size <= picture.Height)
            return new SquareCrop(x, y, size);
        throw Refuse(
            "crop",
            422,
            $"'crop' must be {{\"x\", \"y\", \"size\"}} in whole pixels of the original, within its {picture.Width} x "
                + $"{picture.Height}, size {SmallestCrop} or more."
        );

        static int? Whole(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
    }

    /// <summary>Stores the mask beside the raw picture; null in the request: the one that came with it, or a computed one.</summary>
    private async Task<string?> MaskAsync(
        TrainingRecord check, PlannedPicture planned, JsonNode? mask, HttpRequest request, CancellationToken cancel)
    {
        if (mask is null)
            return null;
        if (mask.GetValueKind() != JsonValueKind.String)
            throw Refuse("mask", 422, "'mask' must be a text: a data URI, or the url of a file sent to v1/files; white is what counts.");
        using var file = await files.OpenAsync("mask", mask.GetValue<string>(), request, cancel);
        var name = FormattableString.Invariant($"raw/{planned.Index:D3}-mask-{Guid.NewGuid():N}");
        var target = await blobs.BlobAsync(StorageLayout.Datasets, StorageLayout.Dataset(check.Key, name));
        if (file.Content is { } content)
            await target.UploadAsync(content, overwrite: true, cancel);
        else
            await target.UploadAsync(
                (await (await blobs.BlobAsync(file.Blob!)).DownloadContentAsync(cancel)).Value.Content,
                overwrite: true,
                cancel
            );
        return name;
    }

    private static IntakeException Refuse(string field, int status, string sentence) => new([new IntakeProblem(field, sentence, status)]);
}
