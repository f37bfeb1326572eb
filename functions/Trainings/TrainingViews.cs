using Microsoft.Extensions.Options;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings;

/// <summary>Puts a training's view together: of its record alone, and for one training of progress and logs, too.</summary>
public sealed class TrainingViews(
    BlobStore blobs, BaseModels bases, FileLinks links, TrainingLogs logs, Quotes quotes, IOptions<SdxlOptions> options, TimeProvider time)
{
    private const string Weights = "trained_model.tar";

    /// <summary>What is written while a stage lasts, many times a minute. It is read anew with the first look at the next stage; of many
    /// who look nobody waits for it.</summary>
    private readonly Refreshed<Running> _running = new(time, TimeSpan.FromSeconds(0.75), TimeSpan.FromSeconds(1.5));

    /// <summary>With log and progress.</summary>
    /// <param name="root">Where the reader reaches this service: "https://host".</param>
    public async Task<TrainingView> NowAsync(TrainingRecord record, string root, CancellationToken cancel)
    {
        var view = ViewAsync(record, root, cancel);
        var (log, progress, prepared) = await _running.GetAsync(
            $"{record.Key} {record.Stage} {record.Status}", () => ReadAsync(record, CancellationToken.None), cancel);
        return await view with
        {
            Logs = log,
            Progress = ProgressOf(record, progress, prepared),
            Quote = await quotes.OfWaitingAsync(record, progress, cancel),
        };
    }

    private async Task<Running> ReadAsync(TrainingRecord record, CancellationToken cancel)
    {
        var log = logs.ReadAsync(record.Key, cancel);
        var progress = blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(record.Key), cancel);
        var prepared = record.Stage == TrainingStage.Prepare ? PreparedAsync(record, cancel) : Task.FromResult(0);
        return new Running(await log, (await progress)?.Value, await prepared);
    }

    /// <summary>Without log and progress: a row of the list.</summary>
    /// <inheritdoc cref="NowAsync" path="/param"/>
    public async Task<TrainingView> ViewAsync(TrainingRecord record, string root, CancellationToken cancel)
    {
        var (model, version) = bases.NameOf(record.Base);
        var ends = record.CompletedAt is { } end ? options.Value.Retention.Datasets.After(end) : null;
        return new TrainingView
        {
            Id = record.Id,
            Model = model,
            Version = version,
            Input = record.Input,
            Output = await OutputAsync(record, root, cancel),
            Status = record.Status,
            Error = record.Error,
            Logs = "",
            Metrics = MetricsOf(record),
            DataRemoved = record.DataRemoved,
            CreatedAt = record.CreatedAt,
            StartedAt = record.StartedAt,
            CompletedAt = record.CompletedAt,
            Webhook = record.Webhook?.Url,
            WebhookEventsFilter = record.Webhook?.Filter,
            Urls = Urls(record, root),
            Destination = $"{record.Owner}/{record.Name}",
            Base = record.Base,
            Stage = record.Stage,
            Warnings = record.Warnings,
            ExpiresAt = record.DataRemoved ? null : ends,
            Check = record.Data,
            From = record.From,
            HeldOut = record.HeldOut.Count > 0 ? record.HeldOut : null,
            Recommended = Recommendation.Of(record.HeldOut),
            Cost = record.IsCheck ? null : RunCost.Of(record, options.Value, time.GetUtcNow()),
        };
    }

    private static Dictionary<string, string> Urls(TrainingRecord record, string root)
    {
        var self = $"{root}/v1/{(record.IsCheck ? "checks" : "trainings")}/{record.Id}";
        var urls = new Dictionary<string, string>
        {
            ["get"] = self,
            ["cancel"] = $"{self}/cancel",
            ["web"] = $"{root}/{(record.IsCheck ? "checks" : "trainings")}/{record.Id}",
            ["report"] = $"{self}/report",
            ["logs"] = $"{self}/logs",
        };
        if (!record.IsCheck)
        {
            foreach (var more in new[] { "stop", "sample", "metrics", "samples", "checkpoints", "events" })
                urls[more] = $"{self}/{more}";
        }
        return urls;
    }

    private async Task<OutputView?> OutputAsync(TrainingRecord record, string root, CancellationToken cancel)
    {
        if (record.Output is not { } output)
            return null;
        var files = new Dictionary<string, string>();
        foreach (var name in output.Files)
        {
            files[name] = await links.OfAsync(
                root, StorageLayout.Models, StorageLayout.Version(record.Owner, record.Name, output.Version, name), cancel);
        }
        return new OutputView($"{record.Owner}/{record.Name}:{output.Version}", files.GetValueOrDefault(Weights), files);
    }

    private static Dictionary<string, double> MetricsOf(TrainingRecord record)
    {
        var metrics = new Dictionary<string, double>();
        if (record.CompletedAt is { } end)
        {
            if (record.StartedAt is { } start)
                metrics["predict_time"] = (end - start).TotalSeconds;
            metrics["total_time"] = (end - record.CreatedAt).TotalSeconds;
        }
        return metrics;
    }

    private static ProgressView? ProgressOf(TrainingRecord record, JobProgress? progress, int prepared)
    {
        if (progress is null && record.Pictures == 0)
            return null;
        var done = record.Stage > TrainingStage.Prepare ? record.Pictures : prepared;
        return new ProgressView(
            done, record.Pictures, progress?.Step ?? 0, progress?.TotalSteps ?? 0, progress?.Loss, progress?.StepsPerSecond,
            JobTransitions.IsTerminal(record.Status) ? null : progress?.SecondsLeft, progress?.Device, progress?.MemoryBytes);
    }

    private async Task<int> PreparedAsync(TrainingRecord record, CancellationToken cancel) =>
        (await blobs.ListAsync(
            StorageLayout.Datasets, StorageLayout.Dataset(record.Key, Activities.PreparedDocument.Folder), cancel)).Count;

    /// <param name="Prepared">Pictures that are done; 0 outside the stage.</param>
    private sealed record Running(string Log, JobProgress? Progress, int Prepared);
}
