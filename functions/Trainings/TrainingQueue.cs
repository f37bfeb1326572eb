using System.Collections.Concurrent;
using Sdxl.Core.Identity;
using Sdxl.Core.Jobs;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Trainings;

/// <summary>A training that is not over.</summary>
/// <param name="SecondsLeft">As its worker says; null: it has not begun, or not said.</param>
public sealed record QueuedTraining(JobKey Key, DateTimeOffset CreatedAt, double? SecondsLeft);

/// <summary>
/// The trainings that are not over, of all owners, since all wait for the same workers. For counting: nobody is shown another's.
/// </summary>
public sealed class TrainingQueue(BlobStore blobs, RecordStore records, TimeProvider time)
{
    private const int NewestOfOwner = 100; // what is older has long been over, or waits behind a hundred of its owner's own
    private const int Remembered = 20_000;

    private readonly Refreshed<IReadOnlyList<QueuedTraining>> _looks = new(time, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
    private readonly ConcurrentDictionary<JobKey, bool> _over = new(); // what is over stays so, and need not be read again

    /// <summary>As they were some seconds ago.</summary>
    public Task<IReadOnlyList<QueuedTraining>> NowAsync(CancellationToken cancel) => _looks.GetAsync("", LookAsync, cancel);

    private async Task<IReadOnlyList<QueuedTraining>> LookAsync()
    {
        if (_over.Count > Remembered)
            _over.Clear();
        var keys = new List<JobKey>();
        foreach (var owner in await records.OwnersAsync(CancellationToken.None))
        {
            var (ids, _) = await records.PageAsync(owner, StorageLayout.TrainingsList, null, NewestOfOwner);
            keys.AddRange(ids.Select(id => new JobKey(owner, id)).Where(key => !_over.ContainsKey(key)));
        }
        var queued = new ConcurrentBag<QueuedTraining>();
        await Parallel.ForEachAsync(keys, async (key, cancel) =>
        {
            if (await records.TrainingAsync(key, cancel) is not { } training)
                return; // an entry whose record is not written yet, or not there any more
            if (JobTransitions.IsTerminal(training.Status))
            {
                _over[key] = true;
                return;
            }
            var progress = (await blobs.ReadAsync<JobProgress>(StorageLayout.Jobs, StorageLayout.Progress(key), cancel))?.Value;
            queued.Add(new QueuedTraining(key, training.CreatedAt, progress?.SecondsLeft));
        });
        return [.. queued];
    }
}
