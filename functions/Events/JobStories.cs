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
using Sdxl.Functions.Trainings;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Events;

/// <summary>Tells of jobs by their records.</summary>
public sealed class JobStories(
    RecordStore records,
    BlobStore blobs,
    PredictionViews predictions,
    TrainingViews trainings,
    BaseModels bases,
    IOptions<SdxlOptions> options
)
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
            async (happened, wait) => Data(await predictions.ViewAsync(r.AsOf(happened), null, root, wait), view => new
            {
                view.Id, r.Owner, view.Model, view.Version, view.Base, view.Status, view.Output, view.Error, view.CreatedAt, view.StartedAt,
                view.CompletedAt, Urls = new { Get = view.Urls["get"] },
            }),
            async wait =>
            {
                var drawing = await predictions.DrawingAsync(r, wait);
                return Data(r, now => new { now.Status, Progress = PredictionViews.ProgressOf(drawing) });
            },
            async (happened, wait) => SdxlJson.Serialize(await predictions.NowAsync(happened is null ? r : r.AsOf(happened), root, wait)));
    }

    public JobStory Of(TrainingRecord r)
    {
        var root = RootOf(r.Root);
        return new JobStory(
            r.Key,
            TrainingRecord.Kind,
            JobTransitions.IsTerminal(r.Status),
            r.Events,
            r.Webhook,
            root,
            (happened, _) => Task.FromResult(Short(happened)),
            async wait =>
            {
                var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(r.Key), wait))?.Value;
                return Data(r, now => new { now.Status, now.Stage, Progress = progress });
            },
            async (happened, wait) => SdxlJson.Serialize(await trainings.NowAsync(happened is null ? r : r.AsOf(happened), root, wait)));

        JsonObject Short(JobEvent happened) => Data(r.AsOf(happened), then => new
        {
            then.Id, then.Owner, bases.NameOf(then.Base).Model, Destination = $"{then.Owner}/{then.Name}", then.Base, then.Status,
            Output = then.Output is { } output ? $"{then.Owner}/{then.Name}:{output.Version}" : null,
            then.Error, then.CreatedAt, then.StartedAt, then.CompletedAt, Urls = new { Get = $"{root}/v1/trainings/{then.Id}" },
        });
    }

    private string RootOf(string recorded) =>
        options.Value.PublicUrl is { Length: > 0 } configured ? configured.TrimEnd('/') : recorded;

    private static JsonObject Data<T, TData>(T from, Func<T, TData> pick) =>
        JsonSerializer.SerializeToNode(pick(from), SdxlJson.Options)!.AsObject();
}
