using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace Sdxl.Local.Hosting;

/// <summary>Stops the application when the process that it was started for is gone, however that ended.</summary>
internal sealed class ParentWatch(int parentId, IHostApplicationLifetime lifetime) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var parent = Find(parentId);
        while (parent is { HasExited: false } && !stoppingToken.IsCancellationRequested)
            await Task.Delay(Interval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lifetime.StopApplication();
    }

    private static Process? Find(int id)
    {
        try
        {
            return Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
