using Azure.Messaging.ServiceBus;
using Microsoft.Extensions.Logging;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// Keeps a message locked while its job runs: renewed at half its time. A renewal that fails is tried again until the lock's end; then, or
/// when the queue says so, the message may be another worker's.
/// </summary>
/// <remarks>Measured by this machine's steady clock: a wall clock that jumps neither ends a lock nor keeps one.</remarks>
public sealed class MessageLock : IAsyncDisposable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(5); // what Azure allows
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly ServiceBusReceiver _queue;
    private readonly ServiceBusReceivedMessage _message;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _job;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _over = new();
    private readonly Task _renewing;

    public MessageLock(ServiceBusReceiver queue, ServiceBusReceivedMessage message, string job, TimeProvider time, ILogger log)
    {
        (_queue, _message, _job, _time, _log) = (queue, message, job, time, log);
        _renewing = RenewAsync();
    }

    /// <summary>Set once the message may be another's.</summary>
    public CancellationToken Lost => _lost.Token;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _renewing;
        _over.Dispose();
        _lost.Dispose();
    }

    private async Task RenewAsync()
    {
        var left = _message.LockedUntil - _time.GetUtcNow();
        var length = left < Shortest ? Shortest : left > Longest ? Longest : left;
        var renewed = _time.GetTimestamp();
        var pause = length / 2;
        while (true)
        {
            await Task.Delay(pause, _time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_over.IsCancellationRequested)
                return;
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_over.Token);
                limit.CancelAfter(length / 2); // the client itself would wait a minute
                var began = _time.GetTimestamp();
                await _queue.RenewMessageLockAsync(_message, limit.Token);
                (renewed, pause) = (began, length / 2);
            }
            catch (Exception) when (_over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                var isLost =
                    e is ServiceBusException { Reason: ServiceBusFailureReason.MessageLockLost or ServiceBusFailureReason.MessageNotFound };
                if (isLost || _time.GetElapsedTime(renewed) >= length)
                {
                    _log.LockLost(e, _job);
                    await _lost.CancelAsync();
                    return;
                }
                _log.Unreachable(e, BetweenTries.TotalSeconds);
                pause = BetweenTries;
            }
        }
    }
}
