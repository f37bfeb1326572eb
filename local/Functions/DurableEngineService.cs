using Microsoft.Extensions.Hosting;
using Sdxl.Local.Durable;

namespace Sdxl.Local.Functions;

/// <summary>Starts the durable engine with the host; the container stops it by disposing of it.</summary>
internal sealed class DurableEngineService(DurableEngine engine) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        engine.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await engine.DisposeAsync();
}
