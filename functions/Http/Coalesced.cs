using System.Collections.Concurrent;

namespace Sdxl.Functions.Http;

/// <summary>
/// One reading serves all who ask for the same thing at the same time or within a moment after it: two hundred pages that look at one
/// training are one look at storage.
/// </summary>
/// <param name="freshness">How old an answer may be.</param>
public sealed class Coalesced<T>(TimeProvider time, TimeSpan freshness)
{
    private const int Remembered = 2000;

    private readonly ConcurrentDictionary<string, Reading> _readings = new();

    /// <param name="read">Not cancelled by who asked first: others wait for it.</param>
    public async Task<T> GetAsync(string key, Func<Task<T>> read, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var mine = new Reading(new Lazy<Task<T>>(async () => await read()), now); // what it throws at once is its answer, too
        var reading = _readings.AddOrUpdate(key, mine, (_, known) => now - known.At < freshness ? known : mine);
        if (_readings.Count > Remembered)
        {
            foreach (var (name, old) in _readings)
            {
                if (now - old.At >= freshness)
                    _readings.TryRemove(KeyValuePair.Create(name, old));
            }
        }
        try
        {
            return await reading.Task.Value.WaitAsync(cancel);
        }
        catch when (reading.Task.Value.IsFaulted)
        {
            _readings.TryRemove(KeyValuePair.Create(key, reading)); // the next one tries anew
            throw;
        }
    }

    /// <summary>It has changed: whoever asks from now on sees that.</summary>
    public void Forget(string key) => _readings.TryRemove(key, out _);

    private sealed record Reading(Lazy<Task<T>> Task, DateTimeOffset At);
}
