using Sdxl.Core.Identity;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Retention;

/// <summary>
/// Removes things with all that belongs to them. Every method may be repeated, also after it was cut off half way: what makes the thing
/// known goes last, so that whoever asks again still finds what to remove.
/// </summary>
public sealed class Deletion(BlobStore blobs, VersionStore versions)
{
    private static readonly string[] s_leftovers = ["inputs/", "attempts/", "checkpoints/"];

    /// <summary>The training or check with data set, inputs, checkpoints, log and what it left unpublished. Its version stays.</summary>
    public async Task TrainingAsync(TrainingRecord training, CancellationToken cancel)
    {
        await DatasetAsync(training.Key, cancel);
        await ScratchAsync(training.Key, cancel);
        await DeliveriesAsync(training.Key, cancel);
        await DeleteAsync(StorageLayout.Records, StorageLayout.TrainingIndex(training.Key, training.CreatedAt), cancel);
        await DeleteAsync(StorageLayout.Records, StorageLayout.TrainingRecord(training.Key), cancel);
    }

    private Task DeliveriesAsync(JobKey job, CancellationToken cancel) =>
        blobs.DeleteAllAsync(StorageLayout.Records, StorageLayout.Deliveries(job), cancel);

    public Task DatasetAsync(JobKey training, CancellationToken cancel) =>
        blobs.DeleteAllAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, ""), cancel);

    /// <summary>Everything of the job but its record: inputs, attempts, checkpoints, log, measurements.</summary>
    public Task ScratchAsync(JobKey job, CancellationToken cancel) => blobs.DeleteAllAsync(StorageLayout.Jobs, $"{job}/", cancel);

    /// <summary>What a run leaves that takes much room: inputs, attempts with their checkpoints, unpublished output, kept checkpoints. Log,
    /// measurements and samples stay.</summary>
    public async Task LeftoversAsync(JobKey job, CancellationToken cancel)
    {
        await DeleteAsync(StorageLayout.Jobs, StorageLayout.KeptList(job), cancel); // first: what no list tells of does not exist
        foreach (var folder in s_leftovers)
            await blobs.DeleteAllAsync(StorageLayout.Jobs, $"{job}/{folder}", cancel);
        await DeleteAsync(StorageLayout.Jobs, StorageLayout.SampleMark(job), cancel); // set in the moment in which it ended
    }

    public async Task PredictionAsync(PredictionRecord prediction, CancellationToken cancel)
    {
        await blobs.DeleteAllAsync(StorageLayout.Predictions, StorageLayout.Drawn(prediction.Key, ""), cancel);
        await ScratchAsync(prediction.Key, cancel);
        await DeliveriesAsync(prediction.Key, cancel);
        await DeleteAsync(StorageLayout.Records, StorageLayout.PredictionIndex(prediction.Key, prediction.CreatedAt), cancel);
        await DeleteAsync(StorageLayout.Records, StorageLayout.PredictionRecord(prediction.Key), cancel);
    }

    /// <summary>Nobody sees the version from the first step on; its files go afterwards.</summary>
    public async Task VersionAsync(PublishedVersion version, CancellationToken cancel)
    {
        await versions.HideAsync(version, cancel);
        await blobs.DeleteAllAsync(
            StorageLayout.Models, StorageLayout.VersionPrefix(version.Owner, version.Name, version.Version), cancel);
        // The same pictures and settings give the same id: another model of the owner may have a version of it.
        var others = await versions.ModelsAsync(version.Owner, cancel);
        if (others.SelectMany(model => model.Versions).FirstOrDefault(other => other.Version == version.Version) is { } twin)
            await blobs.WriteAsync(
                StorageLayout.Records,
                StorageLayout.VersionRecord(version.Owner, version.Version),
                twin,
                cancel: cancel
            );
        else
            await DeleteAsync(StorageLayout.Records, StorageLayout.VersionRecord(version.Owner, version.Version), cancel);
    }

    public async Task ModelAsync(string owner, string name, CancellationToken cancel)
    {
        while (await versions.ModelAsync(owner, name, cancel) is { Versions: [var version, ..] })
            await VersionAsync(version, cancel);
        await DeleteAsync(StorageLayout.Models, StorageLayout.ModelDocument(owner, name), cancel);
    }

    public async Task FileAsync(string owner, string id, CancellationToken cancel)
    {
        var record = await blobs.ReadAsync<Files.FileRecord>(StorageLayout.Records, StorageLayout.FileRecord(owner, id), cancel);
        await DeleteAsync(StorageLayout.Files, StorageLayout.File(owner, id), cancel);
        if (record is { Value: var known })
            await DeleteAsync(StorageLayout.Records, StorageLayout.FileIndex(new JobKey(owner, id), known.CreatedAt), cancel);
        await DeleteAsync(StorageLayout.Records, StorageLayout.FileRecord(owner, id), cancel);
    }

    public Task UploadAsync(string name, CancellationToken cancel) => DeleteAsync(StorageLayout.Uploads, name, cancel);

    private async Task DeleteAsync(string container, string name, CancellationToken cancel) =>
        await (await blobs.BlobAsync(container, name)).DeleteIfExistsAsync(cancellationToken: cancel);
}
