using Microsoft.Extensions.Logging;
using Sdxl.Core.Storage;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Looks every other second for what others say about a running job: cancel it, end it early, show how far it is, or that it is another
/// worker's turn.
/// </summary>
public sealed class JobMarks : IAsyncDisposable
{
    private readonly CancellationTokenSource _canceled = new(), _stopEarly = new(), _superseded = new(), _over = new();
    private readonly Task _watching;

    public JobMarks(JobTurns.Held held, JobTurns turns, JobBlobs blobs, TimeSpan pause, TimeProvider time, ILogger log)
    {
        Samples = new SampleWish(blobs, held.Job);
        _watching = WatchAsync(held, turns, blobs, pause, time, log);
    }

    public CancellationToken Canceled => _canceled.Token;

    public CancellationToken StopEarly => _stopEarly.Token;

    public CancellationToken Superseded => _superseded.Token;

    public SampleWish Samples { get; }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _watching;
        foreach (var source in new[] { _canceled, _stopEarly, _superseded, _over })
            source.Dispose();
    }

    private async Task WatchAsync(JobTurns.Held held, JobTurns turns, JobBlobs blobs, TimeSpan pause, TimeProvider time, ILogger log)
    {
        await Task.Yield();
        while (!_over.IsCancellationRequested)
        {
            try
            {
                if (await blobs.ExistsAsync(StorageLayout.Jobs, StorageLayout.CancelMark(held.Job), _over.Token))
                {
                    await _canceled.CancelAsync();
                    return;
                }
                if (!await turns.IsStillAsync(held, _over.Token))
                {
                    log.Superseded(held.Job.Id);
                    await _superseded.CancelAsync();
                    return;
                }
                if (
                    !_stopEarly.IsCancellationRequested
                    && await blobs.ExistsAsync(StorageLayout.Jobs, StorageLayout.StopMark(held.Job), _over.Token)
                )
                    await _stopEarly.CancelAsync();
                await Samples.LookAsync(_over.Token);
            }
            catch (Exception) when (_over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                log.Unreachable(e, pause.TotalSeconds); // Storage is away for a moment: the marks are looked for again.
            }
            await Task.Delay(pause, time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
