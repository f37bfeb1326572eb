using Microsoft.Extensions.Logging;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Outages of storage and queue are waited out where the job stands: tried again after 1, 2, 4 … 15 s, for as long as the job is this
/// worker's.
/// </summary>
public sealed class Patience(TimeProvider time, ILogger<Patience> log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <param name="end">Set: the next fault goes on to the caller instead.</param>
    public async Task<T> TryAsync<T>(Func<Task<T>> work, CancellationToken end)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (Faults.IsPassing(e) && !end.IsCancellationRequested)
            {
                log.Unreachable(e, pause.TotalSeconds);
                await Task.Delay(pause, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <inheritdoc cref="TryAsync{T}"/>
    public Task TryAsync(Func<Task> work, CancellationToken end) => TryAsync(
        async () =>
        {
            await work();
            return true;
        },
        end);
}
