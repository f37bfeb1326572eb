using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Stores checkpoints beside the training, one at a time and in order: tens of gigabytes must not hold back log and progress. Of those to
/// resume from only the newest that waits counts; those that people keep are all stored, each before any that is written after it, so that
/// whoever resumes misses none.
/// </summary>
public sealed class CheckpointUploads
{
    private readonly Channel<Upload> _waiting = Channel.CreateUnbounded<Upload>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _given = new();
    private readonly CheckpointMirror _mirror;
    private readonly KeptCheckpoints _kept;
    private readonly Task _storing;
    private Upload? _newest;

    /// <param name="end">Set: a fault of storage is not waited out any more.</param>
    public CheckpointUploads(
        CheckpointMirror mirror, KeptCheckpoints kept, Patience patience, ILogger log, string jobId, CancellationToken end)
    {
        (_mirror, _kept) = (mirror, kept);
        _storing = StoreAsync(patience, log, jobId, end);
    }

    /// <summary>A checkpoint to resume from.</summary>
    public void Add(string folder)
    {
        _newest?.Drop();
        _newest = new Upload(cancel => _mirror.StoreAsync(folder, cancel), IsKept: false);
        _waiting.Writer.TryWrite(_newest);
    }

    /// <summary>One that people keep.</summary>
    public void AddKept(string folder, int step) =>
        _waiting.Writer.TryWrite(new Upload(cancel => _kept.StoreAsync(folder, step, cancel), IsKept: true));

    /// <summary>The training begins at a step, once what waits is stored.</summary>
    public void BeginKept(int step) => _waiting.Writer.TryWrite(new Upload(cancel => _kept.BeginAsync(step, cancel), IsKept: true));

    /// <summary>Waits for all of it: another worker is to go on from the last one.</summary>
    /// <exception cref="Exception">What made the last one fail.</exception>
    public Task FinishAsync()
    {
        _waiting.Writer.TryComplete();
        return _storing;
    }

    /// <summary>Waits for those that people keep: nobody resumes any more.</summary>
    public async Task FinishKeptAsync()
    {
        _newest?.Drop();
        await FinishAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Gives up what is not stored yet: nobody needs it any more.</summary>
    public async Task DropAsync()
    {
        _waiting.Writer.TryComplete();
        await _given.CancelAsync();
        await _storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StoreAsync(Patience patience, ILogger log, string jobId, CancellationToken end)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_given.Token, end);
        Exception? failure = null;
        await foreach (var upload in _waiting.Reader.ReadAllAsync(_given.Token))
        {
            if (upload.IsDropped)
                continue;
            try
            {
                await patience.TryAsync(() => upload.Store(_given.Token), either.Token);
                failure = upload.IsKept ? failure : null;
            }
            catch (Exception e) when (!_given.IsCancellationRequested)
            {
                if (upload.IsKept)
                    log.NotKept(e, jobId); // the training is worth more than one of its checkpoints
                else
                    failure = e; // unless a later one is stored
            }
        }
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    private sealed record Upload(Func<CancellationToken, Task> Store, bool IsKept)
    {
        private volatile bool _dropped;

        public bool IsDropped => _dropped;

        public void Drop() => _dropped = true;
    }
}
