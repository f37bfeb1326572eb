using System.Collections.Concurrent;

namespace Sdxl.Functions.Http;

/// <summary>
/// What is read now and then and may be a little old: whoever asks gets the last reading at once, and where that is no longer fresh a newer
/// one is made behind him. Only the first, and who comes after a long silence, waits.
/// </summary>
/// <param name="freshness">How old a reading may be before a newer one is made.</param>
/// <param name="patience">How old it may be to be given at all.</param>
public sealed class Refreshed<T>(TimeProvider time, TimeSpan freshness, TimeSpan patience)
{
    private const int Remembered = 1000;

    private readonly ConcurrentDictionary<string, Entry> _entries = new();

    /// <param name="read">Not cancelled by who asked first: others wait for it.</param>
    /// <remarks>A reading that fails is forgotten; who waits for it is told, and the next one tries anew.</remarks>
    public Task<T> GetAsync(string key, Func<Task<T>> read, CancellationToken cancel)
    {
        if (_entries.Count > Remembered)
            _entries.Clear();
        return _entries.GetOrAdd(key, _ => new Entry()).Get(time.GetUtcNow(), freshness, patience, read).WaitAsync(cancel);
    }

    private sealed class Entry
    {
        private readonly Lock _lock = new();
        private (Task<T> Reading, DateTimeOffset At)? _last, _next;

        public Task<T> Get(DateTimeOffset now, TimeSpan freshness, TimeSpan patience, Func<Task<T>> read)
        {
            lock (_lock)
            {
                if (_next is { Reading.IsCompleted: true } made)
                {
                    _next = null;
                    if (made.Reading.Exception is null && !made.Reading.IsCanceled)
                        _last = made;
                }
                var age = now - (_last?.At ?? DateTimeOffset.MinValue);
                if (age >= freshness)
                    _next ??= (Task.Run(read), now);
                return _last is { } last && age < patience ? last.Reading : _next!.Value.Reading;
            }
        }
    }
}
