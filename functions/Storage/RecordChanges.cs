using System.Threading.Channels;
using Sdxl.Core.Identity;

namespace Sdxl.Functions.Storage;

/// <summary>Wakes those of this process who wait for a record. Changes that another instance of the app makes are not seen here: who waits
/// looks at the record now and then as well.</summary>
public sealed class RecordChanges
{
    private readonly Lock _lock = new();
    private readonly Dictionary<JobKey, List<Watch>> _watches = [];

    /// <summary>To be made before the record is read, so that no change falls between.</summary>
    public Watch Of(JobKey job)
    {
        var watch = new Watch(this, job);
        lock (_lock)
        {
            if (!_watches.TryGetValue(job, out var list))
                _watches[job] = list = [];
            list.Add(watch);
        }
        return watch;
    }

    /// <param name="record">As it was just written.</param>
    public void Tell(JobKey job, object record)
    {
        lock (_lock)
        {
            foreach (var watch in _watches.GetValueOrDefault(job) ?? [])
                watch.Tell(record);
        }
    }

    private void Remove(Watch watch)
    {
        lock (_lock)
        {
            if (_watches.TryGetValue(watch.Job, out var list) && list.Remove(watch) && list.Count == 0)
                _watches.Remove(watch.Job);
        }
    }

    /// <summary>One that waits.</summary>
    public sealed class Watch : IDisposable
    {
        private readonly RecordChanges _changes;
        private readonly Channel<object> _newest = Channel.CreateBounded<object>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
        );

        internal Watch(RecordChanges changes, JobKey job) => (_changes, Job) = (changes, job);

        internal JobKey Job { get; }

        /// <summary>Ends with the next change (or one since the last call), or after that time.</summary>
        /// <returns>The record; null where nobody told of a change.</returns>
        public async Task<object?> WaitAsync(TimeSpan atMost, CancellationToken cancel)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(atMost);
            try
            {
                return await _newest.Reader.ReadAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return null;
            }
        }

        public void Dispose() => _changes.Remove(this);

        internal void Tell(object record) => _newest.Writer.TryWrite(record);
    }
}
