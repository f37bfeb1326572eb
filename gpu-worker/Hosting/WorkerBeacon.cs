using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sdxl.Core.Json;
using Sdxl.Core.Storage;
using Sdxl.Core.Workers;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>
/// Says every few seconds, and at every change, who this worker is and what it does: for `sdxl status` and the API's list of workers.
/// </summary>
public sealed class WorkerBeacon(JobBlobs blobs, WorkerDevice device, TimeProvider time, ILogger<WorkerBeacon> log) : BackgroundService
{
    private readonly SemaphoreSlim _changed = new(0);
    private volatile string _doing = WorkerStatus.Idle;

    public string Name { get; } = FormattableString.Invariant($"{Environment.MachineName.ToLowerInvariant()}-{Environment.ProcessId}");

    public string Doing => _doing;

    /// <summary>What it does from now on.</summary>
    public void Say(string doing)
    {
        _doing = doing;
        _changed.Release();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync(() => blobs.DeleteAsync(StorageLayout.Jobs, StorageLayout.Worker(Name), cancellationToken));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var status = new WorkerStatus(Name, device.Name, _doing, time.GetUtcNow());
            await TryAsync(() =>
                blobs.UploadAsync(
                    StorageLayout.Jobs,
                    StorageLayout.Worker(Name),
                    System.Text.Encoding.UTF8.GetBytes(SdxlJson.Serialize(status)),
                    stoppingToken
                )
            );
            // A change wakes it, else the interval's end; a stop is an exception that ends the service.
            await _changed.WaitAsync(WorkerStatus.Interval, stoppingToken);
        }
    }

    /// <summary>Nobody's work depends on it: where storage is away, the next word tells.</summary>
    private async Task TryAsync(Func<Task> say)
    {
        try
        {
            await say();
        }
        catch (Exception e)
        {
            log.BeaconUnsaid(e.Message);
        }
    }
}
