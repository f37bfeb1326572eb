using Microsoft.Extensions.Options;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Predictions;

/// <summary>Puts a prediction's view together: of its record, and while it is drawn of its worker's last word.</summary>
public sealed class PredictionViews(BlobStore blobs, BaseModels bases, FileLinks links, IOptions<SdxlOptions> options)
{
    /// <param name="root">Where the caller reaches this service: "https://host".</param>
    public async Task<PredictionView> NowAsync(PredictionRecord record, string root, CancellationToken cancel) =>
        await ViewAsync(record, JobTransitions.IsTerminal(record.Status) ? null : await DrawingAsync(record, cancel), root, cancel);

    /// <summary>The worker's last word; null before its first.</summary>
    public async Task<DrawingState?> DrawingAsync(PredictionRecord record, CancellationToken cancel) =>
        (await blobs.ReadAsync<DrawingState>(StorageLayout.Jobs, StorageLayout.Drawing(record.Key), cancel))?.Value;

    /// <param name="drawing">null: nothing is known beside the record.</param>
    /// <param name="root"><inheritdoc cref="NowAsync" path="/param[@name='root']"/></param>
    public async Task<PredictionView> ViewAsync(PredictionRecord r, DrawingState? drawing, string root, CancellationToken cancel)
    {
        var over = JobTransitions.IsTerminal(r.Status);
        // The worker's word is often newer than the record, which learns of it by a message.
        var pictures = !over && drawing is not null && drawing.Pictures.Count > r.Pictures.Count ? drawing.Pictures : r.Pictures;
        var shown = pictures.Where(picture => !picture.Flagged).ToList();
        var (output, thumbnails) = (new List<string>(), new List<string>());
        foreach (var picture in r.Status is JobStatus.Failed or JobStatus.Canceled ? [] : shown)
        {
            output.Add(await LinkAsync(picture.File));
            if (picture.Thumbnail is { } thumbnail)
                thumbnails.Add(await LinkAsync(thumbnail));
        }
        var (model, version) = r.Version?.Split(':') is [var name, var id] ? (name, id) : bases.NameOf(r.Base);
        var self = $"{root}/v1/predictions/{r.Id}";
        var urls = new Dictionary<string, string>
        {
            ["get"] = self, ["cancel"] = $"{self}/cancel", ["web"] = $"{root}/predictions/{r.Id}", ["events"] = $"{self}/events",
        };
        if (r.StreamSecret is { } secret)
            urls["stream"] = $"{root}/v1/files/stream/{r.Owner}~{r.Id}~{secret}";
        return new PredictionView(
            r.Id, model, version, r.Status, r.Input, output.Count == 0 ? null : output, r.Error, over ? r.Logs : drawing?.Logs ?? "",
            Metrics(r),
            "api", false, r.CreatedAt, r.StartedAt, r.CompletedAt, r.Webhook?.Url, r.Webhook?.Filter, urls, r.Base,
            [.. shown.Select(picture => picture.Seed)], r.Warnings, r.Status == JobStatus.Processing ? ProgressOf(drawing) : null,
            r.CompletedAt is { } end ? options.Value.Retention.Predictions.After(end) : null,
            thumbnails.Count > 0 && thumbnails.Count == output.Count ? thumbnails : null);

        ValueTask<string> LinkAsync(string file) =>
            links.OfAsync(root, StorageLayout.Predictions, StorageLayout.Drawn(r.Key, file), cancel);
    }

    /// <returns>null before a worker has said a word.</returns>
    public static DrawingProgress? ProgressOf(DrawingState? drawing) =>
        drawing is { } d ? new DrawingProgress(d.Step, d.TotalSteps, d.StepsPerSecond, d.SecondsLeft, d.Device) : null;

    private static Dictionary<string, double> Metrics(PredictionRecord r)
    {
        var metrics = new Dictionary<string, double>();
        if (r.PredictSeconds is { } seconds)
            metrics["predict_time"] = seconds;
        if (r.CompletedAt is { } end)
            metrics["total_time"] = (end - r.CreatedAt).TotalSeconds;
        return metrics;
    }
}
