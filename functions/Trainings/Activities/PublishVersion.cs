using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
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
public sealed record PublishRequest(TrainingRequest Training, TrainingInputs Inputs, string Place, IReadOnlyList<VersionFile> Files);

/// <summary>
/// Verifies the worker's files against their hashes, moves them under models/{owner}/{name}/versions/{version}/ and makes the version
/// visible by one conditional write of model.json. Every step may run twice: files are write-once under a name that is the hash of their
/// manifest.
/// </summary>
/// <remarks>
/// A cancel is looked for until the version becomes visible; then what was copied is removed again, and there is no version.
/// </remarks>
public sealed class PublishVersion(BlobStore blobs, RecordStore records, VersionStore versions, JobEnds ends, TimeProvider time,
    ILogger<PublishVersion> log)
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
            r => r.With(JobStatus.Succeeded, TrainingStage.Done, time.GetUtcNow()) with { Output = output, Input = settings },
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
            var problems = new List<string>();
            foreach (var file in manifest.Files)
            {
                if (await ProblemOf(request, file, canceled.Token) is { } problem)
                    problems.Add(problem);
            }
            if (problems.Count > 0)
                throw new InvalidDataException($"The worker's files are not whole, nothing was published: {string.Join("; ", problems)}.");
            foreach (var file in manifest.Files)
            {
                await CopyOnce(request, file, StorageLayout.Version(training.Owner, training.Name, version, file.Name), canceled.Token);
                FaultPoints.Hit(FaultPoints.MiddleOfPublish);
            }
            await blobs.WriteBytesAsync(
                StorageLayout.Models, StorageLayout.Version(training.Owner, training.Name, version, VersionManifest.FileName),
                manifest.ToBytes(), "application/json", canceled.Token);
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

    private async Task<string?> ProblemOf(PublishRequest request, VersionFile file, CancellationToken cancel)
    {
        var blob = await blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.AttemptOutput(request.Training.Key, request.Place, file.Name));
        try
        {
            var (expected, found) = (file.Sha256, await HashOf(blob, cancel));
            return found == expected ? null : $"{file.Name} has SHA-256 {found}, expected {expected}";
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return $"{file.Name} is missing";
        }
    }

    /// <summary>Copies a file unless it is there, and makes sure that what is there is whole: a copy that another attempt began may have
    /// been cut off.</summary>
    private async Task CopyOnce(PublishRequest request, VersionFile file, string target, CancellationToken cancel)
    {
        var from = await blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.AttemptOutput(request.Training.Key, request.Place, file.Name));
        var to = await blobs.BlobAsync(StorageLayout.Models, target);
        try
        {
            var copy = await to.StartCopyFromUriAsync(
                from.Uri,
                new BlobCopyFromUriOptions { DestinationConditions = new BlobRequestConditions { IfNoneMatch = ETag.All } },
                cancel);
            await copy.WaitForCompletionAsync(cancel);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            // There already: an earlier attempt, or the same training repeated. The name is the content's hash, so the bytes should be the
            // same.
        }
        while ((await to.GetPropertiesAsync(cancellationToken: cancel)).Value.CopyStatus == CopyStatus.Pending)
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
        if (await HashOf(to, cancel) is var found && found != file.Sha256)
        {
            await to.DeleteIfExistsAsync(cancellationToken: cancel);
            throw new InvalidDataException($"The copy {StorageLayout.Models}/{target} has SHA-256 {found}, expected {file.Sha256}; it was "
                + "removed to be copied again.");
        }
    }

    private static async Task<string> HashOf(BlobClient blob, CancellationToken cancel)
    {
        await using var content = await blob.OpenReadAsync(cancellationToken: cancel);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancel));
    }
}
