using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Messages;
using Sdxl.Core.Predictions;
using Sdxl.Core.Records;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Storage;

/// <summary>
/// The records of trainings and predictions. Changes go through here: optimistic concurrency by ETag, transitions checked, and the events
/// that a change is are put into the record by the same write. What a record owes to queues is sent right after the write; where this
/// process ends in between, a mark that was written before the record tells the timer (<see cref="Outbox.OutboxTimer"/>) to do it.
/// </summary>
/// <remarks>
/// A mark is removed only as the version that the remover itself wrote, or after a write of the record that made every change fail whose
/// writer had set its mark before: so no record owes something without a mark.
/// </remarks>
public sealed class RecordStore(BlobStore blobs, IMessageQueues queues, RecordChanges changes, TimeProvider time, ILogger<RecordStore> log)
{
    public Task<TrainingRecord?> TrainingAsync(JobKey key, CancellationToken cancel = default) => FindAsync<TrainingRecord>(key, cancel);

    public Task<PredictionRecord?> PredictionAsync(JobKey key, CancellationToken cancel = default) =>
        FindAsync<PredictionRecord>(key, cancel);

    /// <summary>
    /// Makes the record if it is not there yet (an activity may run twice), and its entry in the list unless it is a check.
    /// </summary>
    public async Task CreateAsync(TrainingRecord record, CancellationToken cancel = default)
    {
        var made = await MakeAsync(record, cancel);
        record = made?.Record ?? (await TrainingAsync(record.Key, cancel))!;
        if (!record.IsCheck)
            await IndexAsync(StorageLayout.TrainingIndex(record.Key, record.CreatedAt), cancel);
        if (made is { } written)
            await SendOrLeaveAsync(written, cancel);
    }

    /// <summary>Makes the record and its entry in the list; its id is new.</summary>
    public async Task CreateAsync(PredictionRecord record, CancellationToken cancel = default)
    {
        // An entry whose record was never written is passed over.
        var indexed = IndexAsync(StorageLayout.PredictionIndex(record.Key, record.CreatedAt), cancel);
        var made = await MakeAsync(record, cancel);
        await indexed;
        if (made is { } written)
            await SendOrLeaveAsync(written, cancel);
    }

    /// <summary>Changes a training's record. A change that would leave a terminal status is dropped: it comes from a repeated
    /// activity.</summary>
    /// <returns>The record as it is then.</returns>
    public Task<TrainingRecord> ChangeTrainingAsync(
        JobKey key, Func<TrainingRecord, TrainingRecord> change, CancellationToken cancel = default) => ChangeAsync(key, change, cancel);

    /// <summary>Changes a prediction's record; a change that would leave a terminal status is dropped.</summary>
    /// <returns>The record as it is then; null where there is none (any more).</returns>
    public Task<PredictionRecord?> ChangePredictionAsync(
        JobKey key, Func<PredictionRecord, PredictionRecord> change, CancellationToken cancel = default) =>
        TryChangeAsync(key, change, cancel);

    /// <summary>One page of ids, newest first.</summary>
    /// <param name="cursor">What the page before gave as Next; null: the first.</param>
    /// <returns>Next is null after the last page.</returns>
    public async Task<(IReadOnlyList<string> Ids, string? Next)> PageAsync(
        string owner, string list, string? cursor, int limit, CancellationToken cancel = default)
    {
        var container = await blobs.ContainerAsync(StorageLayout.Records);
        var prefix = StorageLayout.IndexOf(owner, list);
        try
        {
            await foreach (var page in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancel).AsPages(cursor, limit))
            {
                if (page.Values.Count > 0 || page.ContinuationToken is not { Length: > 0 })
                {
                    return ([.. page.Values.Select(blob => blob.Name[(blob.Name.LastIndexOf('-') + 1)..])],
                        page.ContinuationToken is { Length: > 0 } next ? next : null);
                }
            }
            return ([], null);
        }
        catch (RequestFailedException e) when (e.Status == 400 && cursor is not null)
        {
            throw new IntakeException([new IntakeProblem(
                "cursor", "'cursor' is none that a list has given. Begin the list anew, and follow its 'next' as it is.", 422)]);
        }
    }

    /// <summary>All who have a record.</summary>
    public async Task<IReadOnlyList<string>> OwnersAsync(CancellationToken cancel = default)
    {
        var owners = new List<string>();
        var container = await blobs.ContainerAsync(StorageLayout.Records);
        await foreach (var item in container.GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.None, "/", "", cancel))
        {
            if (item.IsPrefix && !item.Prefix.StartsWith('_'))
                owners.Add(item.Prefix.TrimEnd('/'));
        }
        return owners;
    }

    /// <summary>Sends what a mark of an earlier process is about; for the timer.</summary>
    public async Task SettleAsync<T>(JobKey key, ETag mark, DateTimeOffset markedAt, CancellationToken cancel)
        where T : class, IJobRecord<T>
    {
        var name = StorageLayout.Record(T.Kind, key);
        if (await blobs.ReadAsync<T>(StorageLayout.Records, name, cancel) is not var (record, tag))
        {
            // Its maker may be about to write it; a day later it is not any more.
            if (time.GetUtcNow() - markedAt > TimeSpan.FromDays(1))
                await blobs.DeleteAsync(StorageLayout.Records, StorageLayout.OutboxMark(T.Kind, key), mark, cancel);
            return;
        }
        if (record.OwesSomething())
        {
            await SendAsync(new Written<T>(record, tag, mark), cancel);
            return;
        }
        try
        {
            await blobs.WriteAsync(StorageLayout.Records, name, record, tag, cancel); // see remarks: whoever is in between begins anew
            await blobs.DeleteAsync(StorageLayout.Records, StorageLayout.OutboxMark(T.Kind, key), mark, cancel);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            // Someone is at it; the next time comes.
        }
    }

    private async Task<T?> FindAsync<T>(JobKey key, CancellationToken cancel)
        where T : class, IJobRecord<T> =>
        (await blobs.ReadAsync<T>(StorageLayout.Records, StorageLayout.Record(T.Kind, key), cancel))?.Value;

    /// <returns>null where it is there already. The mark stays for the timer then: another change may be under way that counts on
    /// one.</returns>
    private async Task<Written<T>?> MakeAsync<T>(T record, CancellationToken cancel)
        where T : class, IJobRecord<T>
    {
        record = record.Remembering(null, time.GetUtcNow());
        var mark = record.OwesSomething() ? await MarkAsync<T>(record.Key, cancel) : (ETag?)null;
        return await blobs.TryCreateAsync(StorageLayout.Records, StorageLayout.Record(T.Kind, record.Key), record, cancel) is { } tag
            ? new Written<T>(record, tag, mark) : null;
    }

    private async Task<T> ChangeAsync<T>(JobKey key, Func<T, T> change, CancellationToken cancel)
        where T : class, IJobRecord<T> =>
        await TryChangeAsync(key, change, cancel) ?? throw new InvalidOperationException(
            $"Record {StorageLayout.Records}/{StorageLayout.Record(T.Kind, key)} is not there; it is made when a job starts and never "
                + "removed while it runs.");

    private async Task<T?> TryChangeAsync<T>(JobKey key, Func<T, T> change, CancellationToken cancel)
        where T : class, IJobRecord<T>
    {
        var name = StorageLayout.Record(T.Kind, key);
        while (true)
        {
            if (await blobs.ReadAsync<T>(StorageLayout.Records, name, cancel) is not var (current, tag))
                return null;
            var next = change(current);
            if (!JobTransitions.Allowed(current.Status, next.Status) || ReferenceEquals(next, current))
                return current;
            next = next.Remembering(current, time.GetUtcNow());
            var mark = next.OwesSomething() ? await MarkAsync<T>(key, cancel) : (ETag?)null;
            ETag written;
            try
            {
                written = await blobs.WriteAsync(StorageLayout.Records, name, next, tag, cancel);
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                continue; // Someone else wrote in between: read again, mark again, and apply the change to that.
            }
            changes.Tell(key, next);
            await SendOrLeaveAsync(new Written<T>(next, written, mark), cancel);
            return next;
        }
    }

    private async Task SendOrLeaveAsync<T>(Written<T> written, CancellationToken cancel)
        where T : class, IJobRecord<T>
    {
        if (written.Mark is null)
            return;
        try
        {
            await SendAsync(written, cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LeftToTheTimer(e, T.Kind, written.Record.Key.ToString());
        }
    }

    /// <summary>Sends all that the record owes, notes that, and removes the mark if it is still that one. What is sent twice has the same
    /// message id.</summary>
    private async Task SendAsync<T>(Written<T> written, CancellationToken cancel)
        where T : class, IJobRecord<T>
    {
        var (record, tag, mark) = written;
        var (key, name) = (record.Key, StorageLayout.Record(T.Kind, record.Key));
        var sent = new HashSet<string>(StringComparer.Ordinal);
        var told = 0;
        while (record.OwesSomething())
        {
            foreach (var message in record.Outbox)
            {
                if (sent.Add(message.MessageId))
                    await queues.SendAsync(message.Queue, message.MessageId, message.Body, message.Due, cancel);
            }
            var last = record.LastEvent();
            if (record.Told < last && told < last)
            {
                var id = string.Create(CultureInfo.InvariantCulture, $"{T.Kind}/{key}/{last}");
                await queues.SendAsync<EventMessage>(Queues.Events, id, new EventsHappened(key, T.Kind), cancel: cancel);
                told = last;
            }
            try
            {
                await blobs.WriteAsync(StorageLayout.Records, name, record.Owing(record.Events, last, []), tag, cancel);
                break;
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                // It may owe more by now, or nothing.
            }
            if (await blobs.ReadAsync<T>(StorageLayout.Records, name, cancel) is not var (newer, newerTag))
                return; // deleted meanwhile; so is what it owed
            (record, tag) = (newer, newerTag);
        }
        if (mark is { } own)
            await blobs.DeleteAsync(StorageLayout.Records, StorageLayout.OutboxMark(T.Kind, key), own, cancel);
    }

    private Task<ETag> MarkAsync<T>(JobKey key, CancellationToken cancel)
        where T : class, IJobRecord<T> =>
        blobs.WriteAsync(StorageLayout.Records, StorageLayout.OutboxMark(T.Kind, key), time.GetUtcNow(), cancel: cancel);

    private Task IndexAsync(string name, CancellationToken cancel) =>
        blobs.WriteBytesAsync(StorageLayout.Records, name, [], "text/plain", cancel);

    /// <summary>A record as it was written.</summary>
    /// <param name="Mark">The mark that was set for it; null: it owed nothing.</param>
    private readonly record struct Written<T>(T Record, ETag Tag, ETag? Mark);
}
