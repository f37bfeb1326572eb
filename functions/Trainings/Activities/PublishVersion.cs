using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Telemetry;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Publish what the worker left under jobs/{owner}/{id}/output.</summary>
public sealed record PublishRequest(TrainingRequest Training, TrainingInputs Inputs, IReadOnlyList<VersionFile> Files);

/// <summary>
/// Verifies the worker's files against their hashes, moves them under models/{owner}/{name}/versions/{version}/ and makes the version
/// visible by one conditional write of model.json. Every step may run twice: files are write-once under a name that is the hash of their
/// manifest.
/// </summary>
public sealed class PublishVersion(BlobStore blobs, RecordStore records, VersionStore versions, TimeProvider time,
    ILogger<PublishVersion> log)
{
    [Function(nameof(PublishVersion))]
    public async Task<string> Run([ActivityTrigger] PublishRequest request, CancellationToken cancel)
    {
        var (training, inputs) = (request.Training, request.Inputs);
        var problems = new List<string>();
        foreach (var file in request.Files)
        {
            if (await ProblemOf(training.Key, file, cancel) is { } problem)
                problems.Add(problem);
        }
        if (problems.Count > 0)
            throw new InvalidDataException($"The worker's files are not whole, nothing was published: {string.Join("; ", problems)}.");

        var settings = System.Text.Json.JsonSerializer.SerializeToNode(inputs, SdxlJson.Options)!.AsObject();
        var manifest = new VersionManifest(training.Base, inputs.TokenString, settings,
            [.. request.Files.OrderBy(f => f.Name, StringComparer.Ordinal)]);
        var bytes = manifest.ToBytes();
        var version = VersionManifest.IdOf(bytes);
        foreach (var file in manifest.Files)
            await CopyOnce(training.Key, file, StorageLayout.Version(training.Owner, training.Name, version, file.Name), cancel);
        await blobs.WriteBytesAsync(
            StorageLayout.Models, StorageLayout.Version(training.Owner, training.Name, version, VersionManifest.FileName),
            bytes, "application/json", cancel);
        await versions.MakeVisibleAsync(new PublishedVersion(
            version, training.Owner, training.Name, training.Base, training.Id, time.GetUtcNow()), cancel);

        var output = new TrainingOutput(version, [.. manifest.Files.Select(f => f.Name), VersionManifest.FileName]);
        await records.ChangeTrainingAsync(
            training.Key,
            r => r.With(JobStatus.Succeeded, TrainingStage.Done, time.GetUtcNow()) with { Output = output, Input = settings },
            cancel);
        await blobs.AppendLinesAsync(
            StorageLayout.Jobs, StorageLayout.Log(training.Key), [$"Published {training.Owner}/{training.Name}:{version}"], cancel);
        log.Published(training.Id, version);
        FunctionsTelemetry.TrainingEnded(JobStatus.Succeeded);
        return version;
    }

    private async Task<string?> ProblemOf(JobKey training, VersionFile file, CancellationToken cancel)
    {
        var blob = await blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.JobOutput(training, file.Name));
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
    private async Task CopyOnce(JobKey training, VersionFile file, string target, CancellationToken cancel)
    {
        var from = await blobs.BlobAsync(StorageLayout.Jobs, StorageLayout.JobOutput(training, file.Name));
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
