using System.Text.Json.Nodes;
using Azure;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Faults;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Jobs;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Telemetry;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Publish what the worker left under jobs/{owner}/{id}/attempts/{Place}/output.</summary>
public sealed record PublishRequest(
    TrainingRequest Training, TrainingInputs Inputs, string Place, IReadOnlyList<VersionFile> Files,
    IReadOnlyList<HeldOutLoss>? HeldOut = null);

/// <summary>
/// Verifies the worker's files against their hashes, moves them under models/{owner}/{name}/versions/{version}/ and makes the version
/// visible by one conditional write of model.json. Every step may run twice: files are write-once under a name that is the hash of their
/// manifest.
/// </summary>
/// <remarks>
/// A cancel is looked for until the version becomes visible; then what was copied is removed again, and there is no version.
/// </remarks>
public sealed class PublishVersion(BlobStore blobs, RecordStore records, VersionStore versions, VersionCopies copies, JobEnds ends,
    TimeProvider time, ILogger<PublishVersion> log)
{
    private static readonly TimeSpan CancelPoll = TimeSpan.FromSeconds(2);

    /// <returns>The version; null: canceled, nothing is published.</returns>
    [Function(nameof(PublishVersion))]
    public async Task<string?> Run([ActivityTrigger] PublishRequest request, CancellationToken cancel)
    {
        var (training, inputs) = (request.Training, request.Inputs);
        if ((await records.TrainingAsync(training.Key, cancel))?.Output is { } published)
        {
            await ends.DropScratchAsync(training.Key, cancel);
            return published.Version; // an earlier try, whose answer got lost
        }
        var settings = System.Text.Json.JsonSerializer.SerializeToNode(inputs, SdxlJson.Options)!.AsObject();
        var manifest = new VersionManifest(training.Base, inputs.TokenString, settings,
            [.. request.Files.OrderBy(f => f.Name, StringComparer.Ordinal)], training.From);
        var version = VersionManifest.IdOf(manifest.ToBytes());
        // Once it is visible as this training's, a cancel comes too late: people may draw with it.
        if (!await IsVisible(training, version, training.Id, cancel) && !await CopyAll(request, manifest, version, cancel))
            return null;
        await versions.MakeVisibleAsync(new PublishedVersion(
            version, training.Owner, training.Name, training.Base, training.Id, time.GetUtcNow()), cancel);
        FaultPoints.Hit(FaultPoints.AfterPublishBeforeRecord);

        // The last line before the record says that it is over: whoever waits for that reads the log then.
        await blobs.AppendLineOnceAsync(
            StorageLayout.Jobs, StorageLayout.Log(training.Key), $"Published {training.Owner}/{training.Name}:{version}", cancel);
        var output = new TrainingOutput(version, [.. manifest.Files.Select(f => f.Name), VersionManifest.FileName]);
        await records.ChangeTrainingAsync(
            training.Key,
            r => r.With(JobStatus.Succeeded, TrainingStage.Done, time.GetUtcNow()) with
            {
                Output = output, Input = settings, HeldOut = request.HeldOut ?? [],
            },
            cancel);
        await ends.DropScratchAsync(training.Key, cancel);
        log.Published(training.Id, version);
        FunctionsTelemetry.TrainingEnded(JobStatus.Succeeded);
        return version;
    }

    /// <returns>false: the user has canceled, and nothing of it stays.</returns>
    private async Task<bool> CopyAll(PublishRequest request, VersionManifest manifest, string version, CancellationToken cancel)
    {
        var training = request.Training;
        using var canceled = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var copied = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watching = WatchForCancel(training.Key, canceled, copied.Token);
        try
        {
            await copies.CopyAsync(
                training.Owner, training.Name, manifest,
                file => StorageLayout.AttemptOutput(training.Key, request.Place, file.Name), canceled.Token);
            if (!await ends.IsCanceledAsync(training.Key, cancel))
                return true;
        }
        catch (OperationCanceledException) when (canceled.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            // By the user: what was copied goes.
        }
        finally
        {
            await copied.CancelAsync();
            await watching;
        }
        // Another training of the same bytes may have published them: the files are its, too.
        if (!await IsVisible(training, version, byTraining: null, cancel))
            await blobs.DeleteAllAsync(StorageLayout.Models, StorageLayout.VersionPrefix(training.Owner, training.Name, version), cancel);
        return false;
    }

    private async Task<bool> IsVisible(TrainingRequest training, string version, string? byTraining, CancellationToken cancel) =>
        (await versions.ModelAsync(training.Owner, training.Name, cancel))?.Versions
            .Any(v => v.Version == version && (byTraining is null || v.TrainingId == byTraining)) == true;

    private async Task WatchForCancel(JobKey training, CancellationTokenSource canceled, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await Task.Delay(CancelPoll, time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (!over.IsCancellationRequested && await ends.IsCanceledAsync(training, over))
                {
                    await canceled.CancelAsync();
                    return;
                }
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException or OperationCanceledException)
            {
                // Storage is away for a moment; the publishing itself fails of it, or the next look finds the mark.
            }
        }
    }
}
