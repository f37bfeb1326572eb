using Azure;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Storage;

/// <summary>The records of trainings and predictions. Changes go through here: optimistic concurrency by ETag, transitions
/// checked.</summary>
public sealed class RecordStore(BlobStore blobs)
{
    public async Task<TrainingRecord?> TrainingAsync(JobKey key, CancellationToken cancel = default) =>
        (await blobs.ReadAsync<TrainingRecord>(StorageLayout.Records, StorageLayout.TrainingRecord(key), cancel))?.Value;

    public async Task<PredictionRecord?> PredictionAsync(JobKey key, CancellationToken cancel = default) =>
        (await blobs.ReadAsync<PredictionRecord>(StorageLayout.Records, StorageLayout.PredictionRecord(key), cancel))?.Value;

    /// <summary>Makes the record if it is not there yet (an activity may run twice), and its entry in the list.</summary>
    /// <param name="listed">false: the record is found by its id only.</param>
    public async Task CreateAsync(TrainingRecord record, bool listed, CancellationToken cancel = default)
    {
        if (!await blobs.CreateAsync(StorageLayout.Records, StorageLayout.TrainingRecord(record.Key), record, cancel))
            record = (await TrainingAsync(record.Key, cancel))!;
        if (listed)
            await blobs.WriteBytesAsync(StorageLayout.Records, StorageLayout.TrainingIndex(record.Key, record.CreatedAt), [], "text/plain",
                cancel);
    }

    /// <inheritdoc cref="CreateAsync(TrainingRecord, bool, CancellationToken)"/>
    public async Task CreateAsync(PredictionRecord record, CancellationToken cancel = default)
    {
        if (!await blobs.CreateAsync(StorageLayout.Records, StorageLayout.PredictionRecord(record.Key), record, cancel))
            record = (await PredictionAsync(record.Key, cancel))!;
        await blobs.WriteBytesAsync(StorageLayout.Records, StorageLayout.PredictionIndex(record.Key, record.CreatedAt), [], "text/plain",
            cancel);
    }

    /// <summary>Changes a training's record. A change that would leave a terminal status is dropped: it comes from a repeated
    /// activity.</summary>
    public Task<TrainingRecord> ChangeTrainingAsync(
        JobKey key, Func<TrainingRecord, TrainingRecord> change, CancellationToken cancel = default) =>
        ChangeAsync(StorageLayout.TrainingRecord(key), change, r => r.Status, cancel);

    /// <inheritdoc cref="ChangeTrainingAsync"/>
    public Task<PredictionRecord> ChangePredictionAsync(
        JobKey key, Func<PredictionRecord, PredictionRecord> change, CancellationToken cancel = default) =>
        ChangeAsync(StorageLayout.PredictionRecord(key), change, r => r.Status, cancel);

    /// <summary>Ids of a list, newest first.</summary>
    /// <param name="after">What the piece before ended with (its <c>Next</c>); null: from the beginning.</param>
    /// <returns>Next is null at the end.</returns>
    public async Task<(IReadOnlyList<string> Ids, string? Next)> PageAsync(
        string owner, string list, string? after, int size, CancellationToken cancel = default)
    {
        var entries = new List<string>();
        var prefix = StorageLayout.IndexOf(owner, list);
        var container = await blobs.ContainerAsync(StorageLayout.Records);
        await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel))
        {
            var entry = blob.Name[prefix.Length..];
            if (after is not null && string.CompareOrdinal(entry, after) <= 0)
                continue;
            if (entries.Count == size)
                return (Ids(), entries[^1]);
            entries.Add(entry);
        }
        return (Ids(), null);

        IReadOnlyList<string> Ids() => [.. entries.Select(entry => entry[(entry.LastIndexOf('-') + 1)..])];
    }

    private async Task<T> ChangeAsync<T>(string name, Func<T, T> change, Func<T, JobStatus> status, CancellationToken cancel)
    {
        while (true)
        {
            var (current, tag) = await blobs.ReadAsync<T>(StorageLayout.Records, name, cancel)
                ?? throw new InvalidOperationException(
                    $"Record {StorageLayout.Records}/{name} is not there; it is made when a job starts and never removed while it runs.");
            var next = change(current);
            if (!JobTransitions.Allowed(status(current), status(next)))
                return current;
            try
            {
                await blobs.WriteAsync(StorageLayout.Records, name, next, tag, cancel);
                return next;
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                // Someone else wrote in between: read again and apply the change to that.
            }
        }
    }
}
