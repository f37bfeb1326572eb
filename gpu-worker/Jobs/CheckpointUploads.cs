using System.Threading.Channels;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Stores checkpoints beside the training, one at a time: tens of gigabytes must not hold back log and progress. Of those that wait only
/// the newest counts.
/// </summary>
public sealed class CheckpointUploads
{
    private readonly Channel<string> _waiting =
        Channel.CreateBounded<string>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly CancellationTokenSource _given = new();
    private readonly Task _storing;

    /// <param name="end">Set: a fault of storage is not waited out any more.</param>
    public CheckpointUploads(CheckpointMirror mirror, Patience patience, CancellationToken end) =>
        _storing = StoreAsync(mirror, patience, end);

    public void Add(string folder) => _waiting.Writer.TryWrite(folder);

    /// <summary>Waits for the last one: another worker is to go on from it.</summary>
    /// <exception cref="Exception">What made the last one fail.</exception>
    public Task FinishAsync()
    {
        _waiting.Writer.TryComplete();
        return _storing;
    }

    /// <summary>Gives up what is not stored yet: nobody needs it any more.</summary>
    public async Task DropAsync()
    {
        _waiting.Writer.TryComplete();
        await _given.CancelAsync();
        await _storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StoreAsync(CheckpointMirror mirror, Patience patience, CancellationToken end)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_given.Token, end);
        await foreach (var folder in _waiting.Reader.ReadAllAsync(_given.Token))
            await patience.TryAsync(() => mirror.StoreAsync(folder, _given.Token), either.Token);
    }
}
