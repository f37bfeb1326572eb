using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Predictions;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>Tells of jobs by their records.</summary>
public sealed class JobStories(RecordStore records, BlobStore blobs, PredictionViews predictions, IOptions<SdxlOptions> options)
{
    /// <param name="kind">"trainings" or "predictions".</param>
    /// <returns>null where there is no such job (any more).</returns>
    public async Task<JobStory?> FindAsync(string kind, JobKey key, CancellationToken cancel) =>
        kind == PredictionRecord.Kind ? await records.PredictionAsync(key, cancel) is { } prediction ? Of(prediction) : null
        : kind == TrainingRecord.Kind && await records.TrainingAsync(key, cancel) is { } training ? Of(training) : null;

    public JobStory Of(PredictionRecord r)
    {
        var root = RootOf(r.Root);
        return new JobStory(
            r.Key, PredictionRecord.Kind, JobTransitions.IsTerminal(r.Status), r.Events, r.Webhook, root,
            happened => Data(PredictionViews.View(r.AsOf(happened), null, root), view => new
            {
                view.Id, r.Owner, view.Model, view.Version, view.Base, view.Status, view.Output, view.Error, view.CreatedAt, view.StartedAt,
                view.CompletedAt, Urls = new { Get = view.Urls["get"] },
            }),
            async wait => Data(PredictionViews.View(r, await predictions.DrawingAsync(r, wait), root), view => new { view.Status, view.Progress }),
            async (happened, wait) => SdxlJson.Serialize(await predictions.NowAsync(happened is null ? r : r.AsOf(happened), root, wait)));
    }

    public JobStory Of(TrainingRecord r)
    {
        var root = RootOf(r.Root);
        return new JobStory(
            r.Key, TrainingRecord.Kind, JobTransitions.IsTerminal(r.Status), r.Events, r.Webhook, root, Short,
            async wait =>
            {
                var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(r.Key), wait))?.Value;
                return Data(r, now => new { now.Status, now.Stage, Progress = progress });
            },
            (happened, _) => Task.FromResult(Short(happened ?? r.Events[^1]).ToJsonString()));

        JsonObject Short(JobEvent happened) => Data(r.AsOf(happened), then => new
        {
            then.Id, then.Owner, Destination = $"{then.Owner}/{then.Name}", then.Base, then.Status,
            Version = then.Output is { } output ? $"{then.Owner}/{then.Name}:{output.Version}" : null,
            then.Error, then.CreatedAt, then.StartedAt, then.CompletedAt, Urls = new { Get = $"{root}/v1/trainings/{then.Id}" },
        });
    }

    private string RootOf(string recorded) =>
        options.Value.PublicUrl is { Length: > 0 } configured ? configured.TrimEnd('/') : recorded;

    private static JsonObject Data<T, TData>(T from, Func<T, TData> pick) =>
        JsonSerializer.SerializeToNode(pick(from), SdxlJson.Options)!.AsObject();
}
